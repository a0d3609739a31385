import type { Kysely } from 'kysely';

import type { ReviewStore } from '../services/reviews/reviews.ts';
import type { CommitQueue } from './commit-queue.ts';
import { appendSealed, readAcceptance } from './openings.ts';
import type { Schema } from './schema.ts';

export function reviewStore(reader: Kysely<Schema>, commits: CommitQueue): ReviewStore {
  return {
    async findReview({ campaign, plan, key, verdict }) {
      const row = await reader
        .selectFrom('reviews')
        .select(['digest', 'receipt', 'opening'])
        .where('campaign', '=', campaign)
        .where('plan', '=', plan)
        .where('key', '=', key)
        .where('verdict', '=', verdict)
        .executeTakeFirst();
      return row && { ...(await readAcceptance(reader, row)), digest: row.digest };
    },

    addReview: ({ entry, ...review }) =>
      commits.run(async (tx) => {
        await appendSealed(tx, [entry]);
        await tx
          .insertInto('reviews')
          .values({
            ...review,
            accepted_at: entry.acceptedAt,
            receipt: entry.receipt,
            opening: entry.digest,
          })
          .execute();
      }),

    async listReviews(campaign) {
      return reader
        .selectFrom('reviews')
        .innerJoin('openings', 'openings.digest', 'reviews.opening')
        .select(['reviews.plan', 'reviews.envelope'])
        .where('reviews.campaign', '=', campaign)
        .orderBy('openings.queue_seq')
        .execute();
    },
  };
}
