import { join } from 'node:path';
import { verifyEd25519 } from '../platform/ed25519.ts';
import { noteSigner } from '../protocol/signature/note.ts';
import type { SequencerDeps } from '../server/services/log/sequencer.ts';
import { noWitnesses } from '../server/services/log/witnesses.ts';
import { CommitQueue } from '../server/store/commit-queue.ts';
import { openDatabases } from '../server/store/database.ts';
import { openKeys } from '../server/store/keys.ts';
import { logFiles } from '../server/store/log/files.ts';
import { headStore } from '../server/store/log/head.ts';
import { leafStore } from '../server/store/log/leaves.ts';
import { enqueueLeaves } from '../server/store/log/queue.ts';

export interface BenchedLog extends AsyncDisposable {
  readonly deps: Omit<SequencerDeps, 'epochLeaves'>;
  enqueue(count: number): Promise<void>;
}

/** The real stores in a data directory that no server runs on. */
export async function openLog(directory: string, origin: string): Promise<BenchedLog> {
  const keys = await openKeys(join(directory, 'keys'));
  const databases = openDatabases(directory);
  const fail = (error: unknown): never => {
    throw new Error('the database does not take writes', { cause: error });
  };
  const commits = new CommitQueue(databases.writer, { flushMs: 0, onFatal: fail });
  let next = 0;
  return {
    deps: {
      signer: noteSigner(origin, keys.log),
      verify: verifyEd25519,
      leaves: leafStore(databases.reader, commits, keys.dummies),
      heads: headStore(join(directory, 'log-head')),
      files: logFiles(join(directory, 'log')),
      witnesses: noWitnesses,
      clock: { now: Date.now, wait: () => Promise.resolve() },
      logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
    },
    async enqueue(count) {
      const leaves = Array.from({ length: count }, (_, i) => ({
        leaf: `sealed/v1 ${(next + i).toString(16).padStart(64, '0')}\n`,
        queuedAt: '2026-11-20T14:00:00.000Z',
      }));
      next += count;
      await commits.run((tx) => enqueueLeaves(tx, leaves));
    },
    async [Symbol.asyncDispose]() {
      await commits.close();
      await databases.close();
    },
  };
}
