import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { readConfig } from '../../../server/config.ts';
import { startServer } from '../../../server/start.ts';
import { prepareData } from '../../support/test-server.ts';
import type { TestData } from '../../support/test-server.ts';

const OPTIONS = {
  now: () => Date.parse('2026-11-20T14:00:00.000Z'),
  random: () => 0.5,
  logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
  onFatal: (error: unknown): void => {
    throw new Error('the server cannot go on', { cause: error });
  },
};

describe('the folder of the last signed head', () => {
  let data: TestData;
  let folder: string;
  before(async () => {
    data = await prepareData({ now: OPTIONS.now });
    folder = await mkdtemp(join(tmpdir(), 'sealdrop-head-'));
  });
  after(async () => {
    await data.remove();
    await rm(folder, { recursive: true, force: true });
  });

  /** Start, bring what waits into the log, and stop. */
  const run = async (env: Readonly<Record<string, string>>): Promise<void> => {
    const server = await startServer(readConfig(data.env(env)), OPTIONS);
    await server.sequence();
    await server.close();
  };
  const head = (path: string): Promise<string> => readFile(join(path, 'head'), 'utf8');

  it('is where the operator says, out of the data directory, and holds the first lines of the checkpoint', async () => {
    const elsewhere = join(folder, 'other disk', 'head of the log');
    await run({ LOG_HEAD: elsewhere });
    const note = await readFile(join(data.dataDirectory, 'log/checkpoint'), 'utf8');
    assert.equal(await head(elsewhere), note.split('\n').slice(0, 3).join('\n') + '\n');
    assert.match(note, /^sealdrop\.test\/log\n8\n/);
    assert.ok(!(await readdir(data.dataDirectory)).includes('log-head'));
    await run({ LOG_HEAD: elsewhere });
  });

  it('stops a start when it is another one than before', async () => {
    const refused = { name: 'LogStateError', message: /last signed head is missing.*LOG_HEAD/ };
    await assert.rejects(run({ LOG_HEAD: join(folder, 'forgotten') }), refused);
    await assert.rejects(run({}), refused);
  });

  it('stops a copy of the server that would sign beside it', async () => {
    const elsewhere = join(folder, 'other disk', 'head of the log');
    const copy = join(folder, 'copy');
    await cp(data.dataDirectory, copy, { recursive: true });
    const server = await startServer(readConfig(data.env({ LOG_HEAD: elsewhere })), OPTIONS);
    try {
      const beside = readConfig(data.env({ DATA: copy, LOG_HEAD: elsewhere }));
      await assert.rejects(startServer(beside, OPTIONS), { name: 'DataDirectoryLockedError' });
    } finally {
      await server.close();
    }
  });

  it('is no part of the data directory itself', () => {
    assert.throws(
      () => readConfig(data.env({ LOG_HEAD: data.dataDirectory })),
      /LOG_HEAD must be a folder of its own/,
    );
  });
});
