import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { ServiceError } from '../../server/services/error.ts';
import { CommitQueue } from '../../server/store/commit-queue.ts';
import type { Outcome } from '../../server/store/commit-queue.ts';
import { compiledInsert, compiledQuery } from '../../server/store/compiled.ts';
import type { Databases } from '../../server/store/database.ts';
import { openDatabases } from '../../server/store/database.ts';
import { GroupWriter } from '../../server/store/group-writer.ts';

const insertBlob = compiledInsert('blobs', ['size', 'sha256', 'stored_at']);
const selectSizes = compiledQuery<{ size: number }>((db) =>
  db.selectFrom('blobs').select('size').where('size', '>=', 0).orderBy('stored_at'),
);

describe('the group writer', () => {
  let folder: string;
  let databases: Databases;
  let queue: CommitQueue;
  let groups: number[][];
  let writer: GroupWriter<number, string>;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealdrop-group-'));
    databases = openDatabases(folder);
    queue = new CommitQueue(databases.writer, { flushMs: 1, onFatal: () => undefined });
    groups = [];
    let rows = 0;
    // Refuses the odd, fails on 13 after it has written everything else, and on a size twice.
    writer = new GroupWriter(queue, async (tx, items) => {
      groups.push([...items]);
      const outcomes: Outcome<string>[] = [];
      for (const size of items) {
        if (size % 2 === 1 && size !== 13) {
          outcomes.push({ error: new ServiceError('conflict', `${size} is odd`) });
          continue;
        }
        const stored_at = String(rows++).padStart(5, '0');
        await insertBlob(tx, { size, sha256: size.toString(16).padStart(64, '0'), stored_at });
        outcomes.push({ value: `wrote ${size}` });
      }
      if (items.includes(13)) throw new Error('thirteen');
      return outcomes;
    });
  });
  afterEach(async () => {
    await queue.close();
    await databases.close();
    await rm(folder, { recursive: true, force: true });
  });

  const stored = async (): Promise<number[]> =>
    (await selectSizes(databases.reader, 0)).map(({ size }) => size);
  const outcomeOf = async (adding: Promise<string>): Promise<string> =>
    adding.catch((error: unknown) => (error instanceof Error ? error.message : 'odd error'));

  it('writes what comes together in one go and in order, and answers after the commit', async () => {
    const answers = Promise.all([6, 4, 7, 2].map((size) => outcomeOf(writer.add(size))));
    assert.deepEqual(await stored(), []);
    assert.deepEqual(await answers, ['wrote 6', 'wrote 4', '7 is odd', 'wrote 2']);
    assert.deepEqual(groups, [[6, 4, 7, 2]]);
    assert.deepEqual(await stored(), [6, 4, 2]);
    assert.equal(await writer.add(8), 'wrote 8');
    assert.deepEqual(await stored(), [6, 4, 2, 8]);
  });

  it('takes in what comes while the queue is busy with others', async () => {
    const other = queue.run(async () => {
      late = writer.add(4);
      await Promise.resolve();
    });
    let late: Promise<string> | undefined;
    const early = writer.add(2);
    await other;
    assert.deepEqual([await early, await late], ['wrote 2', 'wrote 4']);
    assert.deepEqual(groups, [[2, 4]]);
  });

  it('writes each alone when one makes the whole group fail, in the same order', async () => {
    const answers = [2, 13, 4, 2, 5, 6].map((size) => outcomeOf(writer.add(size)));
    assert.deepEqual(await Promise.all(answers), [
      'wrote 2',
      'thirteen',
      'wrote 4',
      'UNIQUE constraint failed: blobs.sha256',
      '5 is odd',
      'wrote 6',
    ]);
    assert.deepEqual(await stored(), [2, 4, 6]);
    assert.equal(await writer.add(8), 'wrote 8');
  });

  it('stores a group that is open when the queue is closed, and refuses what comes later', async () => {
    const open = [2, 4].map((size) => writer.add(size));
    const closing = queue.close();
    assert.deepEqual(await Promise.all(open), ['wrote 2', 'wrote 4']);
    await closing;
    for (const size of [6, 8]) {
      await assert.rejects(writer.add(size), { code: 'unavailable' });
    }
    assert.deepEqual(await stored(), [2, 4]);
  });

  it('tells the caller to come back when too much waits', async () => {
    const adding = Array.from({ length: 20_001 }, () => outcomeOf(writer.add(1)));
    assert.equal(await adding[20_000], 'not accepting writes');
    assert.equal(await adding[0], '1 is odd');
    assert.equal(await writer.add(2), 'wrote 2');
  });
});
