import type { Kysely, Transaction } from 'kysely';

import type { Leaf } from '../../protocol/log/leaf.ts';
import { formatLeaf } from '../../protocol/log/leaf.ts';
import type { Acceptance, SealedEntry } from '../services/sealing.ts';
import { enqueueLeaves } from './log/queue.ts';
import type { Schema } from './schema.ts';

/**
 * Keep the openings of what was accepted and queue the leaves that hide them, all in the caller's
 * transaction.
 */
export async function appendSealed(
  tx: Transaction<Schema>,
  entries: readonly SealedEntry[],
  at: string,
): Promise<void> {
  if (entries.length === 0) return;
  const sequence = await appendLeaves(
    tx,
    entries.map(({ digest }) => ({ type: 'sealed', sha256: digest })),
    at,
  );
  const rows = entries.map(({ digest, campaign, kind, opening }, i) => ({
    digest,
    queue_seq: sequence[i] ?? 0,
    campaign,
    kind,
    opening,
  }));
  await tx.insertInto('openings').values(rows).execute();
}

/** Queue leaves as they are; returns their numbers in the queue. */
export function appendLeaves(
  tx: Transaction<Schema>,
  leaves: readonly Leaf[],
  at: string,
): Promise<number[]> {
  return enqueueLeaves(
    tx,
    leaves.map((leaf) => ({ leaf: formatLeaf(leaf), queuedAt: at })),
  );
}

/** What was answered when this was accepted. */
export async function readAcceptance(
  db: Kysely<Schema>,
  row: { readonly receipt: string; readonly opening: string },
): Promise<Acceptance> {
  const { opening } = await db
    .selectFrom('openings')
    .select('opening')
    .where('digest', '=', row.opening)
    .executeTakeFirstOrThrow();
  return { receipt: row.receipt, opening };
}
