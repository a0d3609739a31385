import type { Kysely, Transaction } from 'kysely';

import type { Leaf } from '../../protocol/log/leaf.ts';
import { formatLeaf } from '../../protocol/log/leaf.ts';
import type { Acceptance, SealedEntry } from '../services/sealing.ts';
import { compiledInsert } from './compiled.ts';
import { enqueueLeaves } from './log/queue.ts';
import type { Schema } from './schema.ts';

const insertOpening = compiledInsert('openings', [
  'digest',
  'queue_seq',
  'campaign',
  'kind',
  'opening',
]);

/** A sealed entry with the instant at which what it stands for was accepted. */
type AcceptedEntry = SealedEntry & { readonly acceptedAt: string };

/**
 * Keep the openings of what was accepted and queue the leaves that hide them, all in the caller's
 * transaction.
 */
export async function appendSealed(
  tx: Transaction<Schema>,
  entries: readonly AcceptedEntry[],
): Promise<void> {
  const sequence = await enqueueLeaves(
    tx,
    entries.map(({ digest, acceptedAt }) => ({
      leaf: formatLeaf({ type: 'sealed', sha256: digest }),
      queuedAt: acceptedAt,
    })),
  );
  for (const [i, { digest, campaign, kind, opening }] of entries.entries()) {
    await insertOpening(tx, { digest, queue_seq: sequence[i] ?? 0, campaign, kind, opening });
  }
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
