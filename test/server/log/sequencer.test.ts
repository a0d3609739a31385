import assert from 'node:assert/strict';
import { cp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { signerFromSeed, verifyEd25519 } from '../../../platform/ed25519.ts';
import { formatCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { EMPTY_ROOT, leafHash } from '../../../protocol/log/merkle.ts';
import { noteSigner, signNote } from '../../../protocol/signature/note.ts';
import { openSequencer } from '../../../server/services/log/sequencer.ts';
import type { SequencerDeps } from '../../../server/services/log/sequencer.ts';
import { LogAheadError } from '../../../server/services/log/witnesses.ts';
import { checkLog } from '../../support/check-log.ts';
import { LOG_SIGNER, numberedLeaf, openLog, temporaryFolder } from '../../support/log.ts';
import type { OpenLog } from '../../support/log.ts';

const check = (log: OpenLog): ReturnType<typeof checkLog> =>
  checkLog(log.folder, LOG_SIGNER, verifyEd25519);

const RECURSIVE = { recursive: true } as const;

/** Start a log and bring `size` leaves under a checkpoint each, so that every size was published. */
async function grow(log: OpenLog, size: number): Promise<void> {
  const sequencer = await openSequencer(log.deps);
  for (let n = sequencer.checkpoint().size; n < size; n++) {
    await log.enqueue(n, 1);
    await sequencer.sequenceOnce();
  }
}

describe('the sequencer', () => {
  it('publishes the empty log when it first starts', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    const sequencer = await openSequencer(log.deps);
    const { checkpoint } = await check(log);
    assert.deepEqual(checkpoint, { origin: LOG_SIGNER.name, size: 0, root: EMPTY_ROOT });
    assert.deepEqual(sequencer.checkpoint(), checkpoint);
  });

  it('gives every queued leaf one index, in the order of the queue, a bounded batch at a time', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    const sequencer = await openSequencer({ ...log.deps, maxBatch: 3 });
    await log.enqueue(0, 2);
    await log.enqueue(2, 5);
    const sizes: (number | undefined)[] = [];
    for (let run = 0; run < 4; run++) sizes.push((await sequencer.sequenceOnce())?.size);
    assert.deepEqual(sizes, [3, 6, 7, undefined]);
    const { leaves } = await check(log);
    assert.deepEqual(leaves, [0, 1, 2, 3, 4, 5, 6].map(numberedLeaf));
  });

  it('signs nothing when nothing waits and padding is off', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    let signatures = 0;
    const signer = {
      ...LOG_SIGNER,
      sign: (text: string) => {
        signatures += 1;
        return LOG_SIGNER.sign(text);
      },
    };
    const sequencer = await openSequencer({ ...log.deps, signer });
    const { mtimeNs, ino } = await stat(join(log.folder, 'checkpoint'), { bigint: true });
    assert.equal(await sequencer.sequenceOnce(), undefined);
    const after = await stat(join(log.folder, 'checkpoint'), { bigint: true });
    assert.deepEqual([after.mtimeNs, after.ino], [mtimeNs, ino]);
    assert.equal(signatures, 1);
  });

  it('never runs twice at a time', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    const sequencer = await openSequencer({ ...log.deps, maxBatch: 2 });
    await log.enqueue(0, 4);
    const runs = await Promise.all([1, 2, 3].map(() => sequencer.sequenceOnce()));
    assert.deepEqual(
      runs.map((run) => run?.size),
      [2, 4, undefined],
    );
    await check(log);
  });

  it('stops, and leaves the log whole, when another writer moves the head', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    const [first, second] = [await openSequencer(log.deps), await openSequencer(log.deps)];
    await log.enqueue(0, 1);
    await first.sequenceOnce();
    await log.enqueue(1, 1);
    await assert.rejects(second.sequenceOnce(), { code: 'conflict' });
    await assert.rejects(second.sequenceOnce(), { code: 'unavailable' });
    assert.equal((await first.sequenceOnce())?.size, 2);
    assert.deepEqual((await check(log)).leaves, [0, 1].map(numberedLeaf));
  });

  it('publishes no signature that does not verify', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    await grow(log, 1);
    const signer = { ...LOG_SIGNER, sign: () => new Uint8Array(64) };
    const sequencer = await openSequencer({ ...log.deps, signer });
    await log.enqueue(1, 1);
    await assert.rejects(sequencer.sequenceOnce(), { code: 'signature_invalid' });
    assert.equal((await check(log)).checkpoint.size, 1);
    await grow(log, 2);
    assert.equal((await check(log)).checkpoint.size, 2);
  });

  it('publishes no note that its witnesses have changed', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    await grow(log, 1);
    const witnesses = {
      cosign: (note: string): Promise<string> => Promise.resolve(note.replace('\n2\n', '\n3\n')),
    };
    const sequencer = await openSequencer({ ...log.deps, witnesses });
    await log.enqueue(1, 1);
    await assert.rejects(sequencer.sequenceOnce(), { message: /changed the checkpoint/ });
    assert.equal((await check(log)).checkpoint.size, 1);
  });

  it('runs at the multiples of its interval until it is told to end', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    const abort = new AbortController();
    const waits: number[] = [];
    let now = 12_345;
    const clock = {
      now: () => now,
      wait: async (ms: number) => {
        waits.push(ms);
        now += ms;
        if (waits.length === 2) await log.enqueue(0, 1);
        if (waits.length === 4) abort.abort();
      },
    };
    const sequencer = await openSequencer({ ...log.deps, clock });
    await sequencer.run(1000, abort.signal);
    assert.deepEqual(waits, [655, 1000, 1000, 1000]);
    assert.equal(sequencer.checkpoint().size, 1);
  });

  it('ends its schedule with the failure that stopped it', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    const heads: SequencerDeps['heads'] = {
      ...log.deps.heads,
      advance: () => Promise.reject(new Error('disk on fire')),
    };
    const sequencer = await openSequencer({ ...log.deps, heads });
    await log.enqueue(0, 1);
    const { signal } = new AbortController();
    await assert.rejects(sequencer.run(1000, signal), { message: 'disk on fire' });
  });
});

describe('opening a log', () => {
  const database = (path: string): string => join(path, 'sealdrop.sqlite');
  const head = (path: string): string => join(path, 'log-head', 'head');

  /** Grow a log to 3 leaves, copy these away, and grow it to 5. */
  async function growWithBackup(path: string, ...names: readonly string[]): Promise<void> {
    for (const size of [3, 5]) {
      if (size === 5) {
        for (const name of names) await cp(join(path, name), join(path, 'backup', name), RECURSIVE);
      }
      await using log = openLog(path);
      await grow(log, size);
    }
  }
  async function restore(path: string, ...names: readonly string[]): Promise<void> {
    for (const name of names) {
      await rm(join(path, name), RECURSIVE);
      await cp(join(path, 'backup', name), join(path, name), RECURSIVE);
    }
    for (const suffix of ['-wal', '-shm']) await rm(`${database(path)}${suffix}`, { force: true });
  }

  const DATABASE = 'sealdrop.sqlite';
  const restored: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['the database', [DATABASE], /signed 5 leaves, the database has only 3: .* older backup/],
    ['database and tiles', [DATABASE, 'log'], /signed 5 leaves, the database has only 3/],
    ['the tiles', ['log'], /tile 0 of level 0 and width 5 is missing/],
    ['the head', ['log-head'], /checkpoint has 5 leaves, the last signed head only 3: .* older/],
  ];
  for (const [what, names, message] of restored) {
    it(`refuses ${what} of an older backup`, async () => {
      await using directory = await temporaryFolder();
      await growWithBackup(directory.path, ...names);
      await restore(directory.path, ...names);
      const note = join(directory.path, 'log', 'checkpoint');
      const before = await readFile(note);
      await using log = openLog(directory.path);
      await assert.rejects(openSequencer(log.deps), { name: 'LogStateError', message });
      assert.deepEqual(await readFile(note), before);
    });
  }

  it('accepts a backup of everything, which nothing contradicts: only witnesses can', async () => {
    await using directory = await temporaryFolder();
    const names = [DATABASE, 'log', 'log-head'];
    await growWithBackup(directory.path, ...names);
    await restore(directory.path, ...names);
    await using log = openLog(directory.path);
    assert.equal((await openSequencer(log.deps)).checkpoint().size, 3);

    await log.enqueue(3, 1);
    const witnesses: SequencerDeps['witnesses'] = {
      cosign: () => Promise.reject(new LogAheadError('a witness knows 5 leaves')),
    };
    const before = await readFile(join(log.folder, 'checkpoint'));
    const sequencer = await openSequencer({ ...log.deps, witnesses });
    await assert.rejects(sequencer.sequenceOnce(), { name: 'LogAheadError' });
    await assert.rejects(sequencer.sequenceOnce(), { name: 'LogAheadError' });
    const again = await openSequencer({ ...log.deps, witnesses });
    await assert.rejects(again.sequenceOnce(), { name: 'LogAheadError' });
    assert.equal(again.checkpoint().size, 3, 'what is published is still there to be read');
    assert.deepEqual(await readFile(join(log.folder, 'checkpoint')), before);
  });

  it('refuses a database that lost its log', async () => {
    await using directory = await temporaryFolder();
    {
      await using log = openLog(directory.path);
      await grow(log, 2);
    }
    await rm(database(directory.path));
    await using log = openLog(directory.path);
    await assert.rejects(openSequencer(log.deps), { message: /the database has only 0/ });
  });

  it('goes on from the head that operations.md says to write when it is missing', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    await grow(log, 2);
    await rm(head(directory.path));
    const refused = { name: 'LogStateError', message: /last signed head is missing.*operations/ };
    await assert.rejects(openSequencer(log.deps), refused);
    const note = await readFile(join(log.folder, 'checkpoint'), 'utf8');
    await writeFile(head(directory.path), `${note.split('\n').slice(0, 3).join('\n')}\n`);
    await grow(log, 3);
    assert.equal((await check(log)).checkpoint.size, 3);
  });

  const damages: readonly (readonly [string, RegExp, (log: OpenLog) => Promise<unknown>])[] = [
    [
      'without its published checkpoint',
      /published checkpoint is missing/,
      (log) => rm(join(log.folder, 'checkpoint')),
    ],
    [
      'whose checkpoint is not signed by its key',
      /not by this log/,
      (log) => {
        const other = noteSigner(LOG_SIGNER.name, signerFromSeed(new Uint8Array(32).fill(4)));
        return publish(log, 5, EMPTY_ROOT, other);
      },
    ],
    [
      'whose checkpoint says something else than was signed',
      /not by this log/,
      async (log) => {
        const path = join(log.folder, 'checkpoint');
        await writeFile(path, (await readFile(path, 'utf8')).replace('\n5\n', '\n4\n'));
      },
    ],
    [
      'whose checkpoint has another root for its size',
      /not part of the log/,
      (log) => publish(log, 5, leafHash(new Uint8Array())),
    ],
    [
      'whose older checkpoint is not part of it',
      /not part of the log/,
      (log) => publish(log, 4, leafHash(new Uint8Array())),
    ],
    [
      'with a changed tile',
      /do not have the root of the head/,
      (log) => flip(join(log.folder, 'tile/0/000.p/5')),
    ],
    ['without a tile', /width 5 is missing/, (log) => rm(join(log.folder, 'tile/0/000.p/5'))],
    [
      'that lost a leaf in the database',
      /has 4 of the 5 leaves that it has numbered/,
      (log) => log.commits.run((tx) => tx.deleteFrom('log_leaf').where('idx', '=', 4).execute()),
    ],
    [
      'without its last signed head',
      /last signed head is missing, but the log has 5 leaves/,
      (log) => rm(join(log.folder, '..', 'log-head', 'head')),
    ],
    [
      'whose last signed head is damaged',
      /last signed head is unreadable/,
      (log) =>
        writeFile(join(log.folder, '..', 'log-head', 'head'), 'sealdrop.example.org/log\n5\n'),
    ],
    [
      'with another leaf in the database',
      /do not make the leaves from 0 on/,
      (log) =>
        log.commits.run((tx) =>
          tx
            .updateTable('log_leaf')
            .set({ leaf: numberedLeaf(77) })
            .where('idx', '=', 2)
            .execute(),
        ),
    ],
  ];

  for (const [what, message, damage] of damages) {
    it(`refuses one ${what}`, async () => {
      await using directory = await temporaryFolder();
      await using log = openLog(directory.path);
      await grow(log, 5);
      await damage(log);
      const before = await readFile(join(log.folder, 'checkpoint')).catch(() => undefined);
      await assert.rejects(openSequencer(log.deps), { name: 'LogStateError', message });
      const after = await readFile(join(log.folder, 'checkpoint')).catch(() => undefined);
      assert.deepEqual(after, before);
    });
  }

  it('refuses the head of another log', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    await openSequencer(log.deps);
    const signer = noteSigner('other', signerFromSeed(new Uint8Array(32).fill(3)));
    await rm(log.folder, { recursive: true });
    await assert.rejects(openSequencer({ ...log.deps, signer }), {
      message: /last signed head is unreadable/,
    });
  });

  it('signs nothing on top of an entry bundle that rotted, or of a tile that another leaf wrote', async () => {
    for (const [path, message] of [
      ['tile/entries/000.p/5', /does not match its hash tile/],
      ['tile/0/000.p/6', /is there with other bytes/],
    ] as const) {
      await using directory = await temporaryFolder();
      await using log = openLog(directory.path);
      await grow(log, 5);
      if (path.endsWith('/6')) await writeFile(join(log.folder, path), new Uint8Array(6 * 32));
      else await flip(join(log.folder, path));
      const sequencer = await openSequencer(log.deps);
      await log.enqueue(5, 1);
      await assert.rejects(sequencer.sequenceOnce(), { message });
      await assert.rejects(sequencer.sequenceOnce(), { code: 'unavailable' });
      assert.equal((await log.deps.heads.find(LOG_SIGNER.name))?.size, 5);
    }
  });

  it('signs nothing on top of a tile that rots while it runs', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    const sequencer = await openSequencer(log.deps);
    await log.enqueue(0, 256);
    await sequencer.sequenceOnce();
    // Nothing is added to this tile, so it is only read, for the root.
    await flip(join(log.folder, 'tile/1/000.p/1'));
    await log.enqueue(256, 1);
    await assert.rejects(sequencer.sequenceOnce(), { code: 'proof_invalid' });
    assert.equal((await log.deps.heads.find(LOG_SIGNER.name))?.size, 256);
  });
});

async function publish(
  log: OpenLog,
  size: number,
  root: Uint8Array,
  signer = LOG_SIGNER,
): Promise<void> {
  const text = formatCheckpoint({ origin: signer.name, size, root });
  await writeFile(join(log.folder, 'checkpoint'), signNote(text, signer));
}

async function flip(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[20] = (bytes[20] ?? 0) ^ 1;
  await writeFile(path, bytes);
}
