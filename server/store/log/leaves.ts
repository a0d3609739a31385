import { randomInt } from 'node:crypto';

import type { Kysely, Transaction } from 'kysely';

import { parseInstant } from '../../../protocol/encoding/time.ts';
import { dummyLeaf, dummyNonces, DUMMY_LEVELS } from '../../../protocol/log/dummy.ts';
import { accountedSpan, formatLeaf, parseLeaf } from '../../../protocol/log/leaf.ts';
import type { LeafStore } from '../../services/log/store.ts';
import type { CommitQueue } from '../commit-queue.ts';
import { compiledInsert } from '../compiled.ts';
import type { Schema } from '../schema.ts';

interface QueuedLeaf {
  readonly seq: number;
  readonly leaf: string;
}

const insertLeaf = compiledInsert('log_leaf', ['idx', 'leaf', 'queue_seq']);

/**
 * The numbered leaves in the database.
 *
 * @param dummySeed - 32 secret bytes from which every dummy of this log is derived.
 */
export function leafStore(
  reader: Kysely<Schema>,
  commits: Pick<CommitQueue, 'run'>,
  dummySeed: Uint8Array,
): LeafStore {
  const nonces = dummyNonces([{ level: DUMMY_LEVELS, index: 0, key: dummySeed }]);

  function dummyAt(index: number): string {
    const nonce = nonces(index);
    if (nonce === undefined) throw new Error('the log has no room for another dummy');
    return formatLeaf(dummyLeaf(nonce));
  }

  return {
    async count() {
      const { treeSize, queueSeq } = await numbered(reader);
      const { rows } = await reader
        .selectFrom('log_leaf')
        .select(({ fn }) => fn.countAll<number>().as('rows'))
        .where('idx', '<', treeSize)
        .executeTakeFirstOrThrow();
      if (rows !== queueSeq) {
        throw new Error(`the database has ${rows} of the ${queueSeq} leaves that it has numbered`);
      }
      return treeSize;
    },

    number: ({ width, isFree, limit }) =>
      commits.run(async (tx) => {
        const { treeSize, queueSeq } = await numbered(tx);
        const queued = await listQueued(tx, queueSeq, limit);
        const taken = isFree || width === 0 ? queued : withinWidth(queued, width);
        const counted = taken.filter(({ leaf }) => !isAccount(leaf)).length;
        const size = taken.length + Math.max(0, width - counted);
        const places = randomPlaces(taken.length, size);
        for (const [i, { seq, leaf }] of taken.entries()) {
          await insertLeaf(tx, { idx: treeSize + (places[i] ?? NaN), leaf, queue_seq: seq });
        }
        const next = { tree_size: treeSize + size, queue_seq: taken.at(-1)?.seq ?? queueSeq };
        await tx.updateTable('log_numbered').set(next).where('id', '=', 1).execute();
        return next.tree_size;
      }),

    async read(start, end) {
      const rows = await reader
        .selectFrom('log_leaf')
        .select(['idx', 'leaf'])
        .where('idx', '>=', start)
        .where('idx', '<', end)
        .execute();
      const stored = new Map(rows.map(({ idx, leaf }) => [idx, leaf]));
      return Array.from(
        { length: end - start },
        (_, i) => stored.get(start + i) ?? dummyAt(start + i),
      );
    },

    async oldestWaiting() {
      const { queueSeq } = await numbered(reader);
      const row = await reader
        .selectFrom('log_queue')
        .select('queued_at')
        .where('seq', '=', queueSeq + 1)
        .executeTakeFirst();
      return row && parseInstant(row.queued_at);
    },

    async isReleasing() {
      const row = await reader
        .selectFrom('campaigns')
        .leftJoin('log_leaf', 'log_leaf.queue_seq', 'campaigns.disclosure_seq')
        .select('campaigns.id')
        .where('campaigns.released', '=', 1)
        .where('log_leaf.idx', 'is', null)
        .executeTakeFirst();
      return row !== undefined;
    },
  };
}

async function numbered(
  db: Kysely<Schema> | Transaction<Schema>,
): Promise<{ treeSize: number; queueSeq: number }> {
  const row = await db
    .selectFrom('log_numbered')
    .select(['tree_size', 'queue_seq'])
    .executeTakeFirstOrThrow();
  return { treeSize: row.tree_size, queueSeq: row.queue_seq };
}

async function listQueued(
  db: Kysely<Schema> | Transaction<Schema>,
  after: number,
  limit: number,
): Promise<QueuedLeaf[]> {
  return db
    .selectFrom('log_queue')
    .select(['seq', 'leaf'])
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(limit)
    .execute();
}

/** The oldest ones, up to the one that would be too many. */
function withinWidth(queued: readonly QueuedLeaf[], width: number): readonly QueuedLeaf[] {
  let counted = 0;
  const end = queued.findIndex(({ leaf }) => {
    if (!isAccount(leaf)) counted += 1;
    return counted > width;
  });
  return end < 0 ? queued : queued.slice(0, end);
}

/** Whether a leaf accounts for sealed ones, which everybody can read. */
function isAccount(leaf: string): boolean {
  return accountedSpan(parseLeaf(leaf)) !== undefined;
}

/**
 * Places for `count` leaves among `size`, in order, each choice as likely as any other.
 *
 * Who knows the place of a leaf of his own would otherwise learn how many came before it.
 */
function randomPlaces(count: number, size: number): number[] {
  const places: number[] = [];
  // Selection sampling (Knuth, algorithm S): needs no second list, and yields the places in order.
  for (let place = 0; places.length < count; place++) {
    const isTaken = randomInt(size - place) < count - places.length;
    if (isTaken) places.push(place);
  }
  return places;
}
