import assert from 'node:assert/strict';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { readFileBounded, readFileBoundedSync } from '../../platform/read-file.ts';

const posixOnly = { skip: process.platform === 'win32' ? 'Windows has no devices' : false };
const BYTES = Uint8Array.of(1, 2, 3);

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'sealdrop-read-')));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

for (const [name, readFile] of [
  ['readFileBounded', readFileBounded],
  [
    'readFileBoundedSync',
    (...args: Parameters<typeof readFileBoundedSync>) => Promise.try(readFileBoundedSync, ...args),
  ],
] as const) {
  describe(name, () => {
    it('reads up to the limit and refuses one byte more', async () => {
      const path = join(folder, 'a');
      for (const length of [0, 1, 65_536, 200_000]) {
        const bytes = new Uint8Array(length).fill(7);
        await writeFile(path, bytes);
        assert.deepEqual(await readFile(path, length), bytes);
        await writeFile(path, new Uint8Array(length + 1));
        await assert.rejects(readFile(path, length), {
          name: 'ProtocolError',
          code: 'too_large',
        });
      }
    });

    it('stops at the limit on a file without an end', posixOnly, async () => {
      await assert.rejects(readFile('/dev/zero', 100_000), { code: 'too_large' });
    });

    it('fails for a missing file and a folder', async () => {
      await assert.rejects(readFile(join(folder, 'none'), 10), { code: 'ENOENT' });
      await assert.rejects(readFile(folder, 10));
    });

    it('returns bytes that share their memory with nothing', async () => {
      await writeFile(join(folder, 'a'), BYTES);
      const bytes = await readFile(join(folder, 'a'), 10);
      assert.equal(bytes.buffer.byteLength, 3);
    });
  });
}
