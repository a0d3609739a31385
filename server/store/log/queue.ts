import type { Transaction } from 'kysely';

import { parseLeaf } from '../../../protocol/log/leaf.ts';
import type { Schema } from '../schema.ts';

/** A leaf on its way into the log. */
export interface NewLeaf {
  /** As `formatLeaf` writes it. */
  readonly leaf: string;
  /** Instant of acceptance. */
  readonly queuedAt: string;
}

/** SQLite takes 32,766 parameters a statement. */
const MAX_ROWS = 10_000;

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
  const { last } = await trx
    .selectFrom('log_queue')
    .select(({ fn }) => fn.max<number | null>('seq').as('last'))
    .executeTakeFirstOrThrow();
  const rows = leaves.map(({ leaf, queuedAt }, i) => ({
    seq: (last ?? 0) + 1 + i,
    leaf,
    queued_at: queuedAt,
  }));
  for (let start = 0; start < rows.length; start += MAX_ROWS) {
    await trx
      .insertInto('log_queue')
      .values(rows.slice(start, start + MAX_ROWS))
      .execute();
  }
  return rows.map(({ seq }) => seq);
}
