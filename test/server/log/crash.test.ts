import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { openCheckpoint } from '../../../protocol/log/checkpoint.ts';
import type { Checkpoint } from '../../../protocol/log/checkpoint.ts';
import { verifyConsistency } from '../../../protocol/log/merkle.ts';
import { treeReader } from '../../../protocol/log/tree-reader.ts';
import { readTileFrom } from '../../../server/services/log/recover.ts';
import { openSequencer } from '../../../server/services/log/sequencer.ts';
import type { SequencerDeps } from '../../../server/services/log/sequencer.ts';
import { checkLog } from '../../support/check-log.ts';
import { dummyAt, LOG_SIGNER, numberedLeaf, openLog, temporaryFolder } from '../../support/log.ts';
import type { OpenLog } from '../../support/log.ts';

interface Tale {
  /** 0 for a log without padding. */
  readonly epochLeaves: number;
  /** Leaves accepted before each run. */
  readonly batches: readonly number[];
}

/** The second batch fills the first tile and begins another. */
const PLAIN: Tale = { epochLeaves: 0, batches: [254, 5, 1] };
/** The second batch is more than an epoch takes. */
const PADDED: Tale = { epochLeaves: 130, batches: [120, 140, 3] };

interface Fault {
  /** The how-manieth of all steps that change anything. */
  readonly step: number;
  /** Whether the step still takes effect. */
  readonly when: 'before' | 'after';
}

/** Make one step fail, and everything that follows, as it does once a process is gone. */
function withFault(deps: SequencerDeps, fault: Fault | undefined, steps: string[]): SequencerDeps {
  let isDead = false;
  const die = (): never => {
    isDead = true;
    throw new Error('crash');
  };
  const guarded = <T extends object>(target: T, ...changing: (keyof T)[]): T =>
    new Proxy(target, {
      get(object, property, receiver) {
        const value: unknown = Reflect.get(object, property, receiver);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          if (isDead) die();
          if (!changing.includes(property as keyof T)) return Reflect.apply(value, object, args);
          steps.push(String(property));
          const isFaulty = fault?.step === steps.length;
          if (isFaulty && fault.when === 'before') die();
          const result: unknown = Reflect.apply(value, object, args);
          if (!isFaulty) return result;
          return result instanceof Promise ? result.then(die) : die();
        };
      },
    });
  const files = guarded(deps.files, 'writeTiles', 'writeCheckpoint', 'dropPartials');
  return {
    ...deps,
    leaves: guarded(deps.leaves, 'number'),
    heads: guarded(deps.heads, 'create', 'advance'),
    signer: guarded(deps.signer, 'sign'),
    witnesses: guarded(deps.witnesses, 'cosign'),
    files: {
      ...files,
      // Every tile is a step of its own.
      async writeTiles(tiles) {
        for (const tile of tiles) await files.writeTiles([tile]);
      },
    },
  };
}

/** Live through the tale of a log, from its first start; picks up wherever an earlier life ended. */
async function live(
  log: OpenLog,
  deps: SequencerDeps,
  tale: Tale,
  seen: Checkpoint[],
): Promise<void> {
  const sequencer = await openSequencer(deps);
  seen.push(sequencer.checkpoint());
  let accepted = 0;
  for (const count of tale.batches) {
    if ((await countQueued(log)) <= accepted) await log.enqueue(accepted, count);
    accepted += count;
    const checkpoint = await sequencer.sequenceOnce().catch(async (error: unknown) => {
      // The outcome is unknown, so this life must be over.
      await assert.rejects(sequencer.sequenceOnce(), { code: 'unavailable' });
      throw error;
    });
    if (checkpoint !== undefined) seen.push(checkpoint);
  }
  await sequencer.sequenceAll();
  seen.push(sequencer.checkpoint());
  if (tale.epochLeaves === 0) assert.equal(await sequencer.sequenceOnce(), undefined);
}

async function countQueued({ databases }: OpenLog): Promise<number> {
  const { count } = await databases.reader
    .selectFrom('log_queue')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return count;
}

/** Read the published checkpoint, if there is one yet. */
async function readPublished(folder: string): Promise<Checkpoint | undefined> {
  const note = await readFile(join(folder, 'checkpoint'), 'utf8').catch(() => undefined);
  if (note === undefined) return undefined;
  return openCheckpoint(note, LOG_SIGNER.name, [LOG_SIGNER], verifyEd25519);
}

/** Run the tale, with a fault or without; recover; check everything. Returns the steps taken. */
async function crashAndRecover(tale: Tale, fault?: Fault): Promise<string[]> {
  const { epochLeaves } = tale;
  await using directory = await temporaryFolder();
  const steps: string[] = [];
  const seen: Checkpoint[] = [];
  {
    await using log = openLog(directory.path);
    const life = live(log, withFault({ ...log.deps, epochLeaves }, fault, steps), tale, seen);
    if (fault === undefined) await life;
    else await assert.rejects(life, { message: 'crash' });
  }

  await using log = openLog(directory.path);
  const published = await readPublished(log.folder);
  if (published !== undefined) {
    seen.push(published);
    await checkLog(log.folder, LOG_SIGNER, verifyEd25519);
  }
  await live(log, { ...log.deps, epochLeaves }, tale, seen);

  const { checkpoint, leaves, beyond } = await checkLog(log.folder, LOG_SIGNER, verifyEd25519);
  const total = tale.batches.reduce((sum, count) => sum + count, 0);
  assert.deepEqual(
    leaves.filter((leaf, index) => leaf !== dummyAt(index)),
    Array.from({ length: total }, (_, n) => numberedLeaf(n)),
  );
  assert.deepEqual(beyond, []);
  if (epochLeaves === 0) assert.equal(checkpoint.size, total);
  else assert.equal(checkpoint.size % epochLeaves, 0);
  const tree = treeReader(readTileFrom(log.deps.files));
  for (const { size, root } of seen) {
    if (size === 0) continue;
    const proof = await tree.consistencyProof(size, checkpoint.size);
    verifyConsistency(size, checkpoint.size, proof, root, checkpoint.root);
  }
  return steps;
}

const stories = [
  { name: 'a log', tale: PLAIN, steps: await crashAndRecover(PLAIN) },
  { name: 'a padded log', tale: PADDED, steps: await crashAndRecover(PADDED) },
];

it('a log takes all its steps in the one safe order', () => {
  const run = (tiles: number): string[] => [
    'number',
    ...Array<string>(tiles).fill('writeTiles'),
    'advance',
    'sign',
    'cosign',
    'writeCheckpoint',
    'dropPartials',
  ];
  const start = ['create', 'sign', 'writeCheckpoint'];
  assert.deepEqual(stories[0]?.steps, [...start, ...run(2), ...run(5), ...run(2), 'number']);
});

for (const { name, tale, steps } of stories) {
  describe(`${name} whose server dies`, () => {
    for (const [i, step] of steps.entries()) {
      for (const when of ['before', 'after'] as const) {
        it(`recovers when it dies ${when} step ${i + 1}, ${step}`, async () => {
          await crashAndRecover(tale, { step: i + 1, when });
        });
      }
    }
  });
}
