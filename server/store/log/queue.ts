import type { Transaction } from 'kysely';

import { parseLeaf } from '../../../protocol/log/leaf.ts';
import { compiledInsert, compiledQuery } from '../compiled.ts';
import type { Schema } from '../schema.ts';

/** A leaf on its way into the log. */
export interface NewLeaf {
  /** As `formatLeaf` writes it. */
  readonly leaf: string;
  /** Instant of acceptance. */
  readonly queuedAt: string;
}

const insertRow = compiledInsert('log_queue', ['seq', 'leaf', 'queued_at']);
const lastRow = compiledQuery<{ last: number | null }>((db) =>
  db.selectFrom('log_queue').select(({ fn }) => fn.max<number | null>('seq').as('last')),
);

/**
 * Queue a leaf in the transaction that accepts what it stands for: both become durable, or neither.
 *
 * @returns Its sequence number in the queue, by which its index can be asked for later.
 */
export async function enqueueLeaf(trx: Transaction<Schema>, leaf: NewLeaf): Promise<number> {
  const [seq] = await enqueueLeaves(trx, [leaf]);
  if (seq === undefined) throw new Error('queued leaf has no sequence number');
  return seq;
}

/**
 * Queue leaves in this order; see {@link enqueueLeaf}.
 *
 * A second writer would pick the same numbers and fail on the primary key, so the order of the
 * numbers is that of the commits: the sequencer never sees a number before a smaller one.
 *
 * @throws ProtocolError `leaf_invalid`: nothing else may enter the log.
 */
export async function enqueueLeaves(
  trx: Transaction<Schema>,
  leaves: readonly NewLeaf[],
): Promise<number[]> {
  for (const { leaf } of leaves) parseLeaf(leaf);
  const [row] = await lastRow(trx);
  const first = (row?.last ?? 0) + 1;
  for (const [i, { leaf, queuedAt }] of leaves.entries()) {
    await insertRow(trx, { seq: first + i, leaf, queued_at: queuedAt });
  }
  return leaves.map((_, i) => first + i);
}
