import type { Kysely } from 'kysely';

import type { NewTargets } from '../services/campaign/change.ts';
import type { RootStore } from '../services/trust/rotation.ts';
import type { StoredRoot } from '../services/trust/trust.ts';
import type { CommitQueue, Work } from './commit-queue.ts';
import { formatLeaf } from '../../protocol/log/leaf.ts';
import { formatInstant } from '../../protocol/encoding/time.ts';
import { appendLeaves } from './openings.ts';
import type { Schema } from './schema.ts';

export interface TrustStore extends RootStore {
  /** The exact files, version 1 first. */
  readRoots(): Promise<readonly Uint8Array[]>;
  /** Keep every root that is not kept yet, and see that each has its one leaf in the log. */
  keepRoots(roots: Iterable<StoredRoot>): Promise<void>;
  addTargets(targets: NewTargets): Promise<void>;
}

type Tx = Parameters<Work<void>>[0];

export function trustStore(
  reader: Kysely<Schema>,
  commits: CommitQueue,
  now: () => number,
): TrustStore {
  const insertRoot = async (tx: Tx, { root, bytes, sha256 }: StoredRoot): Promise<void> => {
    const { version } = root;
    const at = formatInstant(now());
    const leaf = { type: 'root', version, sha256 } as const;
    // An older release logged its roots and kept them as files alone.
    const logged = await tx
      .selectFrom('log_queue')
      .select('seq')
      .where('leaf', '=', formatLeaf(leaf))
      .executeTakeFirst();
    const seq = logged?.seq ?? (await appendLeaves(tx, [leaf], at))[0];
    if (seq === undefined) throw new Error('a queued leaf has a number');
    const row = { version, bytes: textOf(bytes), sha256, published_at: at, queue_seq: seq };
    await tx.insertInto('trust_roots').values(row).execute();
  };
  const insertTargets = async (tx: Tx, { version, bytes, sha256 }: NewTargets): Promise<void> => {
    await tx
      .insertInto('tuf_targets')
      .values({ version, bytes: textOf(bytes), sha256 })
      .execute();
  };

  return {
    async readRoots() {
      const rows = await reader
        .selectFrom('trust_roots')
        .select('bytes')
        .orderBy('version')
        .execute();
      return rows.map(({ bytes }) => new TextEncoder().encode(bytes));
    },

    async keepRoots(roots) {
      const known = await reader.selectFrom('trust_roots').select('version').execute();
      const versions = new Set(known.map(({ version }) => version));
      for (const root of roots) {
        if (!versions.has(root.root.version)) await commits.run((tx) => insertRoot(tx, root));
      }
    },

    publishRoot: (root, targets) =>
      commits.run(async (tx) => {
        await insertTargets(tx, targets);
        await insertRoot(tx, root);
      }),

    addTargets: (targets) => commits.run((tx) => insertTargets(tx, targets)),

    async listRoots(size) {
      const rows = await reader
        .selectFrom('trust_roots')
        .leftJoin('log_leaf', 'log_leaf.queue_seq', 'trust_roots.queue_seq')
        .select(['trust_roots.version', 'trust_roots.sha256', 'trust_roots.published_at'])
        .select('log_leaf.idx')
        .orderBy('trust_roots.version')
        .execute();
      return rows.map(({ version, sha256, published_at, idx }) => ({
        version,
        sha256,
        publishedAt: published_at,
        leafIndex: idx !== null && idx < size ? idx : null,
      }));
    },
  };
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}
