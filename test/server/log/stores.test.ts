import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { EMPTY_ROOT, leafHash } from '../../../protocol/log/merkle.ts';
import { logFiles } from '../../../server/store/log/files.ts';
import { enqueueLeaf, enqueueLeaves } from '../../../server/store/log/queue.ts';
import { numberedLeaf, openLog, temporaryFolder } from '../../support/log.ts';

const QUEUED_AT = '2026-11-20T14:00:00.000Z';
/** Without padding. */
const PLAIN = { width: 0, isFree: false, limit: 100 };

describe('the queue of leaves', () => {
  it('numbers leaves in the order in which they were accepted', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    const one = await log.commits.run((tx) =>
      enqueueLeaf(tx, { leaf: numberedLeaf(0), queuedAt: QUEUED_AT }),
    );
    assert.deepEqual(
      [one, ...(await log.enqueue(1, 3)), ...(await log.enqueue(4, 0))],
      [1, 2, 3, 4],
    );
    await log.deps.leaves.number(PLAIN);
    assert.deepEqual(await log.enqueue(4, 1), [5]);
    assert.deepEqual(await log.deps.leaves.read(0, 4), [0, 1, 2, 3].map(numberedLeaf));
  });

  it('keeps nothing of a transaction that fails', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    const failed = log.commits.run(async (tx) => {
      await enqueueLeaf(tx, { leaf: numberedLeaf(9), queuedAt: QUEUED_AT });
      throw new Error('refused after all');
    });
    await assert.rejects(failed, { message: 'refused after all' });
    await log.enqueue(0, 1);
    await log.deps.leaves.number(PLAIN);
    assert.deepEqual(await log.deps.leaves.read(0, 1), [numberedLeaf(0)]);
  });

  it('takes nothing that is not a leaf', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    const mixed = [numberedLeaf(0), 'plain text\n'].map((leaf) => ({ leaf, queuedAt: QUEUED_AT }));
    await assert.rejects(
      log.commits.run((tx) => enqueueLeaves(tx, mixed)),
      { code: 'leaf_invalid' },
    );
    await log.deps.leaves.number(PLAIN);
    assert.equal(await log.deps.leaves.count(), 0);
  });

  it('takes more leaves at once than a statement has parameters, and numbers the largest batch', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    const seqs = await log.enqueue(0, 12_000);
    assert.deepEqual([seqs.length, seqs[0], seqs.at(-1)], [12_000, 1, 12_000]);
    await log.deps.leaves.number({ ...PLAIN, limit: 8192 });
    assert.equal(await log.deps.leaves.count(), 8192);
    await log.deps.leaves.number({ ...PLAIN, limit: 8192 });
    assert.equal(await log.deps.leaves.count(), 12_000);
    assert.deepEqual(await log.deps.leaves.read(11_999, 12_000), [numberedLeaf(11_999)]);
  });
});

describe('the head of the log', () => {
  const origin = 'sealdrop.example.org/log';
  const empty = { origin, size: 0, root: EMPTY_ROOT };
  const grown = { origin, size: 1, root: leafHash(Uint8Array.of(1)) };
  const forked = { origin, size: 1, root: leafHash(Uint8Array.of(2)) };

  it('is moved by one of two writers that race', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    const { heads } = log.deps;
    await heads.create(empty);
    const race = await Promise.allSettled([
      heads.advance(empty, grown),
      heads.advance(empty, forked),
    ]);
    assert.deepEqual(
      race.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    );
    assert.deepEqual(await heads.find(origin), grown);
  });

  it('is not moved from another size, another root or another log', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    const { heads } = log.deps;
    await heads.create(empty);
    await heads.advance(empty, grown);
    for (const from of [empty, forked, { ...grown, size: 3 }]) {
      await assert.rejects(heads.advance(from, { ...grown, size: 4 }), { code: 'conflict' });
    }
    const other = { ...grown, origin: 'other' };
    await assert.rejects(heads.advance(other, { ...other, size: 4 }), {
      code: 'checkpoint_invalid',
    });
    await assert.rejects(heads.create({ ...grown, size: 4 }), { code: 'EEXIST' });
    assert.deepEqual(await heads.find(origin), grown);
    await assert.rejects(heads.find('other'), { code: 'checkpoint_invalid' });
  });
});

describe('the files of the log', () => {
  const tile = { level: 0, index: 1234067, width: 2 } as const;

  it('lie at the paths at which they are served', async () => {
    await using directory = await temporaryFolder();
    const files = logFiles(join(directory.path, 'a/log/'));
    assert.equal(await files.readCheckpoint(), undefined);
    assert.equal(await files.readTile(tile), undefined);
    await files.writeTiles([{ tile, bytes: Uint8Array.of(1, 2) }]);
    await files.writeCheckpoint('note\n');
    const path = join(directory.path, 'a/log/tile/0/x001/x234/067.p/2');
    assert.deepEqual([...(await readFile(path))], [1, 2]);
    assert.deepEqual([...((await files.readTile(tile)) ?? [])], [1, 2]);
    assert.equal(await readFile(join(directory.path, 'a/log/checkpoint'), 'utf8'), 'note\n');
    assert.deepEqual(await readdir(join(directory.path, 'a/log')), ['checkpoint', 'tile']);
  });

  it('are written again with the same bytes only', async () => {
    await using directory = await temporaryFolder();
    const files = logFiles(directory.path);
    await files.writeTiles([{ tile, bytes: Uint8Array.of(1, 2) }]);
    await files.writeTiles([{ tile, bytes: Uint8Array.of(1, 2) }]);
    for (const bytes of [Uint8Array.of(1, 3), Uint8Array.of(1), Uint8Array.of(1, 2, 3)]) {
      await assert.rejects(files.writeTiles([{ tile, bytes }]), {
        message: 'tile/0/x001/x234/067.p/2 is there with other bytes',
      });
    }
    assert.deepEqual([...((await files.readTile(tile)) ?? [])], [1, 2]);
  });
});
