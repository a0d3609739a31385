import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { signerFromSeed, verifyEd25519 } from '../../platform/ed25519.ts';
import { DUMMY_LEVELS, dummyLeaf, dummyNonces } from '../../protocol/log/dummy.ts';
import { formatLeaf } from '../../protocol/log/leaf.ts';
import { noteSigner } from '../../protocol/signature/note.ts';
import { noWitnesses } from '../../server/services/log/witnesses.ts';
import type { SequencerDeps } from '../../server/services/log/sequencer.ts';
import { CommitQueue } from '../../server/store/commit-queue.ts';
import { openDatabases } from '../../server/store/database.ts';
import type { Databases } from '../../server/store/database.ts';
import { logFiles } from '../../server/store/log/files.ts';
import { headStore } from '../../server/store/log/head.ts';
import { leafStore } from '../../server/store/log/leaves.ts';
import { enqueueLeaves } from '../../server/store/log/queue.ts';

export const LOG_SIGNER = noteSigner(
  'sealdrop.example.org/log',
  signerFromSeed(new Uint8Array(32).fill(3)),
);

/** The secret of all dummies in tests. */
export const DUMMY_SEED = new Uint8Array(32).fill(9);

/** A new folder that is gone when the test is over. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'sealdrop-'));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

/** The database and files of a log as one process holds them. */
export interface OpenLog extends AsyncDisposable {
  readonly folder: string;
  readonly databases: Databases;
  readonly commits: CommitQueue;
  readonly deps: SequencerDeps;
  /** Accept `count` leaves in one transaction; the n-th leaf ever is `numberedLeaf(n)`. */
  enqueue(first: number, count: number): Promise<number[]>;
}

/** Open what a log is made of, on real files below `directory`; without padding. */
export function openLog(directory: string, origin = LOG_SIGNER): OpenLog {
  const databases = openDatabases(directory);
  const commits = new CommitQueue(databases.writer, { flushMs: 0, onFatal: () => undefined });
  const folder = join(directory, 'log');
  return {
    folder,
    databases,
    commits,
    deps: {
      signer: origin,
      verify: verifyEd25519,
      leaves: leafStore(databases.reader, commits, DUMMY_SEED),
      heads: headStore(join(directory, 'log-head')),
      files: logFiles(folder),
      witnesses: noWitnesses,
      epochLeaves: 0,
      clock: { now: () => 0, wait: () => Promise.resolve() },
      logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
    },
    enqueue: (first, count) =>
      commits.run((tx) =>
        enqueueLeaves(
          tx,
          Array.from({ length: count }, (_, i) => ({
            leaf: numberedLeaf(first + i),
            queuedAt: '2026-11-20T14:00:00.000Z',
          })),
        ),
      ),
    async [Symbol.asyncDispose]() {
      await commits.close();
      await databases.close();
    },
  };
}

const nonces = dummyNonces([{ level: DUMMY_LEVELS, index: 0, key: DUMMY_SEED }]);

/** The dummy that stands at this index, if one does. */
export function dummyAt(index: number): string {
  return formatLeaf(dummyLeaf(nonces(index) ?? DUMMY_SEED));
}

export function numberedLeaf(n: number): string {
  return `sealed/v1 ${n.toString(16).padStart(64, '0')}\n`;
}
