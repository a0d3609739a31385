import type { Kysely } from 'kysely';

import type { LeafStore } from '../../services/log/store.ts';
import type { CommitQueue } from '../commit-queue.ts';
import type { Schema } from '../schema.ts';

/** The numbered leaves in the database. */
export function leafStore(reader: Kysely<Schema>, commits: Pick<CommitQueue, 'run'>): LeafStore {
  return {
    count: () => countLeaves(reader),

    async numberQueued(limit) {
      await commits.run(async (tx) => {
        const next = await countLeaves(tx);
        const { last } = await tx
          .selectFrom('log_leaf')
          .select(({ fn }) => fn.max<number | null>('queue_seq').as('last'))
          .executeTakeFirstOrThrow();
        const queued = await tx
          .selectFrom('log_queue')
          .select(['seq', 'leaf'])
          .where('seq', '>', last ?? 0)
          .orderBy('seq')
          .limit(limit)
          .execute();
        if (queued.length === 0) return;
        await tx
          .insertInto('log_leaf')
          .values(queued.map(({ seq, leaf }, i) => ({ idx: next + i, leaf, queue_seq: seq })))
          .execute();
      });
    },

    async read(start, limit) {
      const rows = await reader
        .selectFrom('log_leaf')
        .select(['idx', 'leaf'])
        .where('idx', '>=', start)
        .orderBy('idx')
        .limit(limit)
        .execute();
      return rows.map(({ idx, leaf }, i) => {
        if (idx !== start + i) throw new Error(`the database has no leaf ${start + i}`);
        return leaf;
      });
    },

    async findIndex(queueSeq) {
      const row = await reader
        .selectFrom('log_leaf')
        .select('idx')
        .where('queue_seq', '=', queueSeq)
        .executeTakeFirst();
      return row?.idx;
    },
  };
}

async function countLeaves(db: Kysely<Schema>): Promise<number> {
  const { last } = await db
    .selectFrom('log_leaf')
    .select(({ fn }) => fn.max<number | null>('idx').as('last'))
    .executeTakeFirstOrThrow();
  return (last ?? -1) + 1;
}
