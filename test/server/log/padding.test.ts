import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, it } from 'node:test';

import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { formatLeaf } from '../../../protocol/log/leaf.ts';
import { openSequencer } from '../../../server/services/log/sequencer.ts';
import type { Epoch } from '../../../server/services/log/store.ts';
import { enqueueLeaves } from '../../../server/store/log/queue.ts';
import { checkLog } from '../../support/check-log.ts';
import { dummyAt, LOG_SIGNER, numberedLeaf, openLog, temporaryFolder } from '../../support/log.ts';
import type { OpenLog } from '../../support/log.ts';

const EPOCH: Epoch = { width: 16, isFree: false, limit: 8192 };
const HOUR_MS = 3_600_000;
const EPOCH_MS = HOUR_MS / 6;

/** What an onlooker can measure of a log without reading its leaves. */
interface Trace {
  /** When each checkpoint appeared, and its size. */
  readonly growth: readonly (readonly [at: number, size: number])[];
  /** Path and length of every file, in the end. */
  readonly files: readonly string[];
}

/** An embargoed campaign of a network with 300 operators, as leaves per hour of the day. */
const INCIDENT: ReadonlyMap<number, number> = new Map([
  [8, 3], // created, committed
  [9, 41], // notices go out, the first acknowledge
  [10, 160],
  [11, 96],
  [12, 0],
  [13, 211], // readiness
  [17, 5], // armed
]);
const QUIET: ReadonlyMap<number, number> = new Map();

/** Run a log for a day on its schedule. */
async function liveADay(
  arrivals: ReadonlyMap<number, number>,
  epochLeaves: number,
): Promise<Trace> {
  await using directory = await temporaryFolder();
  await using log = openLog(directory.path);
  const stop = new AbortController();
  const growth: [number, number][] = [];
  let now = Date.parse('2026-11-20T00:00:07.000Z');
  const start = now;
  let accepted = 0;
  let seen = '';
  const clock = {
    now: () => now,
    async wait(ms: number) {
      const hour = Math.floor((now - start) / HOUR_MS);
      const count = Math.ceil((arrivals.get(hour) ?? 0) / (HOUR_MS / EPOCH_MS));
      await log.enqueue(accepted, count);
      accepted += count;
      const note = await readFile(join(log.folder, 'checkpoint'), 'utf8');
      if (note !== seen) growth.push([now, Number(note.split('\n')[1])]);
      seen = note;
      now += ms;
      if (now - start > 24 * HOUR_MS) stop.abort();
    },
  };
  const sequencer = await openSequencer({ ...log.deps, clock, epochLeaves });
  await sequencer.run(EPOCH_MS, stop.signal);

  const { leaves } = await checkLog(log.folder, LOG_SIGNER, verifyEd25519);
  const real = leaves.filter((leaf, index) => leaf !== dummyAt(index));
  assert.deepEqual(
    real,
    Array.from({ length: accepted }, (_, n) => numberedLeaf(n)),
  );
  return { growth, files: await listFiles(log.folder) };
}

async function listFiles(folder: string): Promise<string[]> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = files.filter((it) => it.isFile()).map((it) => join(it.parentPath, it.name));
  const lines = paths.map(async (path) => `${relative(folder, path)} ${(await stat(path)).size}`);
  return (await Promise.all(lines)).sort();
}

describe('a day of the log', () => {
  it('looks the same with an incident under way and without', async () => {
    const quiet = await liveADay(QUIET, 16);
    const busy = await liveADay(INCIDENT, 16);
    assert.deepEqual(busy, quiet);
    assert.equal(quiet.growth.length, 1 + 24 * 6);
    for (const [i, [at, size]] of quiet.growth.entries()) {
      assert.equal(size, i * 16);
      if (i > 0) assert.equal(at % EPOCH_MS, 0);
    }
  });

  it('shows the incident when padding is off: what is measured above can be told apart', async () => {
    const quiet = await liveADay(QUIET, 0);
    const busy = await liveADay(INCIDENT, 0);
    assert.notDeepEqual(busy.growth, quiet.growth);
    assert.notDeepEqual(busy.files, quiet.files);
  });
});

describe('an epoch of the log', () => {
  const read = async (log: OpenLog): Promise<string[]> =>
    log.deps.leaves.read(0, await log.deps.leaves.count());
  const isDummy = (leaf: string, index: number): boolean => leaf === dummyAt(index);
  const real = (leaves: readonly string[]): string[] =>
    leaves.filter((leaf, index) => !isDummy(leaf, index));
  const numbers = (count: number): string[] =>
    Array.from({ length: count }, (_, n) => numberedLeaf(n));

  it('is filled up with dummies, each a sealed leaf like any other', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    await log.enqueue(0, 5);
    assert.equal(await log.deps.leaves.number(EPOCH), 16);
    assert.equal(await log.deps.leaves.number(EPOCH), 32);
    const leaves = await read(log);
    assert.deepEqual(real(leaves), numbers(5));
    for (const leaf of leaves) assert.match(leaf, /^sealed\/v1 [0-9a-f]{64}\n$/);
    assert.equal(new Set(leaves).size, 32);
    const { rows } = await log.databases.reader
      .selectFrom('log_leaf')
      .select(({ fn }) => fn.countAll<number>().as('rows'))
      .executeTakeFirstOrThrow();
    assert.equal(rows, 5, 'dummies are not stored');
  });

  it('is the same again after a restart', async () => {
    await using directory = await temporaryFolder();
    let before: string[];
    {
      await using log = openLog(directory.path);
      await log.enqueue(0, 5);
      await log.deps.leaves.number(EPOCH);
      before = await read(log);
    }
    await using log = openLog(directory.path);
    assert.deepEqual(await read(log), before);
  });

  it('makes what is too many wait, in order', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    await log.enqueue(0, 40);
    for (const [size, count, waits] of [
      [16, 16, true],
      [32, 32, true],
      [48, 40, false],
    ] as const) {
      assert.equal(await log.deps.leaves.number(EPOCH), size);
      assert.deepEqual(real(await read(log)), numbers(count));
      const oldest = await log.deps.leaves.oldestWaiting();
      assert.equal(oldest, waits ? Date.parse('2026-11-20T14:00:00.000Z') : undefined);
    }
  });

  it('warns when leaves wait so long that receipts may come to be broken', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    const warnings: object[] = [];
    let now = Date.parse('2026-11-20T19:59:59.000Z');
    const sequencer = await openSequencer({
      ...log.deps,
      epochLeaves: 16,
      clock: { ...log.deps.clock, now: () => now },
      logger: { ...log.deps.logger, warn: (fields) => warnings.push(fields) },
    });
    await log.enqueue(0, 48);
    await sequencer.sequenceOnce();
    assert.deepEqual(warnings, []);
    now += 1000;
    await sequencer.sequenceOnce();
    assert.deepEqual(warnings, [{ code: 'log_backlog' }]);
    await sequencer.sequenceOnce();
    assert.equal(warnings.length, 1, 'nothing waits');
  });

  it('scatters leaves among the dummies, so that a place does not tell how many came before', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    const places = new Set<number>();
    for (let epoch = 0; epoch < 40; epoch++) {
      await log.enqueue(epoch, 1);
      await log.deps.leaves.number(EPOCH);
      const leaves = await log.deps.leaves.read(epoch * 16, epoch * 16 + 16);
      places.add(leaves.indexOf(numberedLeaf(epoch)));
    }
    // Forty throws of a fair die with 16 sides show 7 or fewer of them once in 10^8 tries.
    assert.ok(places.size > 7, `only ${places.size} places`);
    assert.ok(!places.has(-1));
  });

  it('lets leaves that account for sealed ones come on top', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    await log.enqueue(0, 10);
    const accounts = Array.from({ length: 50 }, (_, index) =>
      formatLeaf({ type: 'opened', index }),
    );
    const account = (leaves: readonly string[]): Promise<number[]> =>
      log.commits.run((tx) =>
        enqueueLeaves(
          tx,
          leaves.map((leaf) => ({ leaf, queuedAt: '2026-11-20T14:00:00.000Z' })),
        ),
      );
    await account(accounts);
    await log.enqueue(10, 10);
    assert.equal(await log.deps.leaves.number(EPOCH), 16 + 50);
    assert.deepEqual(real(await read(log)), [
      ...numbers(10),
      ...accounts,
      ...numbers(20).slice(10, 16),
    ]);
    assert.equal(await log.deps.leaves.number(EPOCH), 16 + 50 + 16);
    assert.equal(real(await read(log)).length, 70);
    // Beside fewer leaves than an epoch has room for they take no dummy's place either.
    await log.enqueue(20, 2);
    await account(accounts.slice(0, 3));
    assert.equal(await log.deps.leaves.number(EPOCH), 82 + 16 + 3);
  });

  it('makes nothing wait between a release and its disclosure', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    const sequencer = await openSequencer({ ...log.deps, epochLeaves: 16 });
    const sizeAfter = async (first: number, count: number): Promise<number | undefined> => {
      await log.enqueue(first, count);
      return (await sequencer.sequenceOnce())?.size;
    };
    await addCampaign(log, { released: 0 });
    assert.equal(await sizeAfter(0, 20), 16, 'a campaign that is not released hides');
    await log.commits.run((tx) => tx.updateTable('campaigns').set({ released: 1 }).execute());
    assert.equal(await sizeAfter(20, 96), 16 + 100);
    assert.equal(await sizeAfter(0, 0), 16 + 100 + 16, 'padded all the same');
    const [disclosure = 0] = await log.enqueue(116, 1);
    await log.commits.run((tx) =>
      tx.updateTable('campaigns').set({ disclosure_seq: disclosure }).execute(),
    );
    assert.equal(await sizeAfter(117, 30), 132 + 31, 'until its disclosure leaf is in');
    assert.equal(await sizeAfter(147, 30), 163 + 16);
  });

  it('is not numbered over a leaf that was lost', async () => {
    await using directory = await temporaryFolder();
    await using log = openLog(directory.path);
    await log.enqueue(0, 3);
    await log.deps.leaves.number(EPOCH);
    await log.commits.run((tx) => tx.deleteFrom('log_leaf').where('queue_seq', '=', 2).execute());
    await assert.rejects(log.deps.leaves.count(), { message: /2 of the 3 leaves/ });
  });
});

async function addCampaign(log: OpenLog, { released }: { released: number }): Promise<void> {
  const at = '2026-11-20T14:00:00.000Z';
  const digest = '0'.repeat(64);
  const id = 'SDX-2026-7KQ4';
  await log.commits.run(async (tx) => {
    await tx
      .insertInto('plans')
      .values({ digest, campaign: id, revision: 1, bytes: '', stored_at: at })
      .execute();
    await tx
      .insertInto('campaigns')
      .values({
        id,
        plan: digest,
        status: 'armed',
        sequence: 0,
        root_version: 1,
        release_time: at,
        latest_disclosure: at,
        released,
        break_glass: 0,
        events: 0,
        created_at: at,
        previous: null,
        armed_at: null,
        released_at: null,
        supermajority_at: null,
        disclosed_at: null,
        opened_at: null,
        closing_key: null,
        disclosure_seq: null,
      })
      .execute();
  });
}
