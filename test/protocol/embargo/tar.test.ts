import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { packFiles, sizeClass, unpackFiles } from '../../../protocol/embargo/tar.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { paxRecord, rawTar } from './raw-tar.ts';
import type { RawEntry } from './raw-tar.ts';

const body = utf8Encode('harmless\n');
const good: RawEntry = { name: 'a.patch', body };

describe('packFiles and unpackFiles', () => {
  it('give back every file, also empty ones and names of 100 characters (property)', async () => {
    const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/);
    const files = fc.array(fc.tuple(name, fc.uint8Array({ maxLength: 1500 })), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(files, async (entries) => {
        const before = new Map(entries);
        const after = await unpackFiles(await packFiles(before));
        assert.deepEqual(after, new Map([...before].sort(([a], [b]) => (a < b ? -1 : 1))));
      }),
      { numRuns: 40 },
    );
  });

  it('read an archive wherever in memory it begins', async () => {
    const files = new Map([['a.patch', body]]);
    const archive = await packFiles(files);
    for (const offset of [1, 2, 3, 4]) {
      const moved = new Uint8Array(archive.length + offset).subarray(offset);
      moved.set(archive);
      assert.deepEqual(await unpackFiles(moved), files);
      moved[moved.length - 1] = 1;
      await assert.rejects(unpackFiles(moved), { code: 'bundle_invalid' });
    }
  });

  it('make the same archive whatever the order the files come in', async () => {
    const one = await packFiles(
      new Map([
        ['b', body],
        ['a', body],
      ]),
    );
    const other = await packFiles(
      new Map([
        ['a', body],
        ['b', body],
      ]),
    );
    assert.deepEqual(one, other);
  });

  it('make a 10 kB and a 60 kB file the same size, and grow in powers of two', async () => {
    const sizes = [10_000, 60_000, 200_000, 300_000].map(async (size) => {
      const archive = await packFiles(new Map([['a.patch', new Uint8Array(size)]]));
      return archive.length / 1024;
    });
    assert.deepEqual(await Promise.all(sizes), [128, 128, 256, 512]);
    assert.throws(() => sizeClass(2 ** 31 + 1), { code: 'too_large' });
  });

  it('know at most 16 sizes, from the smallest archive to the largest', () => {
    const sizes = new Set<number>();
    for (let bits = 0; bits <= 31; bits++) {
      for (const off of [-1, 0, 1]) sizes.add(sizeClass(Math.min(2 ** bits + off, 2 ** 31)));
    }
    assert.deepEqual(
      [...sizes].sort((a, b) => a - b),
      Array.from({ length: 15 }, (_, k) => 128 * 1024 * 2 ** k),
    );
  });

  it('refuse to pack a bad name, no file at all, or more than 1,000', async () => {
    for (const name of ['../a', 'a/b', '.hidden', '', 'ä', 'a'.repeat(101), 'a\nb', 'a\0b']) {
      await assert.rejects(packFiles(new Map([[name, body]])), { code: 'bundle_invalid' }, name);
    }
    await assert.rejects(packFiles(new Map()), { code: 'bundle_invalid' });
    const many = new Map(Array.from({ length: 1001 }, (_, index) => [`f${index}`, body]));
    await assert.rejects(packFiles(many), { code: 'bundle_invalid' });
  });
});

describe('unpackFiles', () => {
  it('reads what another packer wrote in the same form', async () => {
    assert.deepEqual(await unpackFiles(rawTar([good])), new Map([['a.patch', body]]));
  });

  const pax = (key: string, value: string): RawEntry => ({
    name: 'PaxHeader/a.patch',
    type: 'x',
    body: paxRecord(key, value),
  });
  const hostile: Readonly<Record<string, readonly RawEntry[]>> = {
    'a path in the name': [{ name: 'sub/a.patch', body }],
    'an absolute name': [{ name: '/etc/passwd', body }],
    'a name that climbs': [{ name: '../a.patch', body }],
    'two dots alone': [{ name: '..', body }],
    'a path in the prefix field': [{ name: 'a.patch', prefix: '../..', body }],
    'a backslash in the name': [{ name: 'a\\b', body }],
    'a name in other letters than ASCII': [{ name: 'ä.patch', body }],
    'a second name behind a NUL': [{ name: 'a.patch\0../../evil', body }],
    'a symbolic link': [{ name: 'a.patch', type: '2', link: '/etc/passwd' }],
    'a hard link': [good, { name: 'b.patch', type: '1', link: 'a.patch' }],
    'a folder': [{ name: 'folder', type: '5' }],
    'a folder by its slash': [{ name: 'folder/' }],
    'a device': [{ name: 'a.patch', type: '3' }],
    'a pipe': [{ name: 'a.patch', type: '6' }],
    'a type nobody knows': [{ name: 'a.patch', type: 'Z', body }],
    'the old type NUL': [{ name: 'a.patch', type: '\0', body }],
    'a file twice': [good, good],
    'files out of order': [{ name: 'b.patch', body }, good],
    'a size far beyond the archive': [{ ...good, size: '77777777777\0' }],
    'a size in base 256': [{ ...good, size: '\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f' }],
    'a size that is no number': [{ ...good, size: '0000000000x\0' }],
    'a pax header that changes the name': [pax('path', '../evil'), good],
    'a pax header that changes the size': [pax('size', '3'), good],
    'a pax header that repeats the name': [pax('path', 'a.patch'), good],
    'a global pax header': [{ ...pax('path', 'evil'), type: 'g' }, good],
    'a GNU long name': [{ name: 'long', type: 'L', body: utf8Encode('../evil\0') }, good],
    'an executable bit': [{ ...good, mode: '0000755\0' }],
    'another owner': [{ ...good, owner: '0001750\0' }],
    'no file': [],
  };
  for (const [flaw, entries] of Object.entries(hostile)) {
    it(`refuses ${flaw}`, async () => {
      await assert.rejects(unpackFiles(rawTar(entries)), { code: 'bundle_invalid' });
    });
  }

  it('refuses links and duplicates before it copies or repacks anything', async () => {
    const link = { name: 'a.patch', type: '2', link: '/etc/passwd' };
    await assert.rejects(unpackFiles(rawTar([link])), {
      message: 'archive holds something else than plain files',
    });
    await assert.rejects(unpackFiles(rawTar([pax('path', 'b.patch'), good])), {
      message: 'archive holds something else than plain files',
    });
    await assert.rejects(unpackFiles(rawTar([good, good])), { message: 'file name twice' });
  });

  it('refuses bytes behind the end marker, in the padding of a file, and in a header', async () => {
    const archive = rawTar([good]);
    for (const offset of [archive.length - 1, 2048, 512 + body.length, 500, 0, 150]) {
      const changed = archive.slice();
      changed[offset] = 1 ^ (changed[offset] ?? 0);
      await assert.rejects(unpackFiles(changed), { code: 'bundle_invalid' }, String(offset));
    }
  });

  it('refuses an archive that is cut, or in another size class than it needs', async () => {
    const archive = rawTar([good]);
    for (const length of [0, 1, 512, 1024, archive.length - 512, archive.length - 1]) {
      await assert.rejects(unpackFiles(archive.subarray(0, length)), { code: 'bundle_invalid' });
    }
    await assert.rejects(unpackFiles(rawTar([good], 256 * 1024)), { code: 'bundle_invalid' });
  });

  it('accepts no archive with a byte changed, and fails with nothing but its own error (property)', async () => {
    const archive = rawTar([good, { name: 'b.patch', body }]);
    const change = fc.record({ at: fc.nat(4096), byte: fc.integer({ min: 1, max: 255 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 8 }), async (changes) => {
        const changed = archive.slice();
        for (const { at, byte } of changes) changed[at] = byte ^ (changed[at] ?? 0);
        const files = await unpackFiles(changed).catch((error: unknown) => {
          assert.ok(error instanceof ProtocolError);
        });
        if (files) assert.deepEqual(await packFiles(files), changed);
      }),
      { numRuns: 200 },
    );
  });

  it('refuses more than 1,000 files without reading on', async () => {
    const many = Array.from({ length: 1001 }, (_, index) => ({
      name: `f${String(index).padStart(4, '0')}`,
    }));
    await assert.rejects(unpackFiles(rawTar(many, 1024 * 1024)), {
      code: 'bundle_invalid',
      message: 'too many files',
    });
  });
});
