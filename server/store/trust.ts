import type { Kysely } from 'kysely';

import type { NewTargets } from '../services/campaign/change.ts';
import type { StoredRoot } from '../services/trust/trust.ts';
import type { CommitQueue } from './commit-queue.ts';
import { formatLeaf } from '../../protocol/log/leaf.ts';
import { formatInstant } from '../../protocol/encoding/time.ts';
import { appendLeaves } from './openings.ts';
import type { Schema } from './schema.ts';

export interface TrustStore {
  /** Put every root into the log that is not there yet. */
  logRoots(roots: Iterable<StoredRoot>): Promise<void>;
  addTargets(targets: NewTargets): Promise<void>;
}

export function trustStore(
  reader: Kysely<Schema>,
  commits: CommitQueue,
  now: () => number,
): TrustStore {
  return {
    async logRoots(roots) {
      for (const { root, sha256 } of roots) {
        const leaf = { type: 'root', version: root.version, sha256 } as const;
        const known = await reader
          .selectFrom('log_queue')
          .select('seq')
          .where('leaf', '=', formatLeaf(leaf))
          .executeTakeFirst();
        if (known !== undefined) continue;
        await commits.run((tx) => appendLeaves(tx, [leaf], formatInstant(now())));
      }
    },

    async addTargets({ version, bytes, sha256 }) {
      const text = new TextDecoder().decode(bytes);
      await commits.run((tx) =>
        tx.insertInto('tuf_targets').values({ version, bytes: text, sha256 }).execute(),
      );
    },
  };
}
