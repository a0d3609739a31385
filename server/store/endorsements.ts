import type { Kysely } from 'kysely';

import type { EndorsementStore } from '../services/endorsements/endorsements.ts';
import type { CommitQueue } from './commit-queue.ts';
import { appendSealed } from './openings.ts';
import type { Schema } from './schema.ts';

export function endorsementStore(reader: Kysely<Schema>, commits: CommitQueue): EndorsementStore {
  return {
    async findCampaign(commitment) {
      const row = await reader
        .selectFrom('commitments')
        .select('campaign')
        .where('sha256', '=', commitment)
        .executeTakeFirst();
      return row?.campaign;
    },

    async listByEndorser(commitment, endorser) {
      const rows = await reader
        .selectFrom('endorsements')
        .innerJoin('openings', 'openings.digest', 'endorsements.opening')
        .select([
          'endorsements.digest',
          'endorsements.issued_at',
          'endorsements.receipt',
          'openings.opening',
        ])
        .where('endorsements.commitment', '=', commitment)
        .where('endorsements.endorser', '=', endorser)
        .orderBy('endorsements.issued_at')
        .execute();
      return rows.map(({ issued_at, ...row }) => ({ ...row, issuedAt: issued_at }));
    },

    addEndorsement: ({ entry, issuedAt, ...endorsement }) =>
      commits.run(async (tx) => {
        await appendSealed(tx, [entry]);
        await tx
          .insertInto('endorsements')
          .values({
            ...endorsement,
            issued_at: issuedAt,
            accepted_at: entry.acceptedAt,
            receipt: entry.receipt,
            opening: entry.digest,
          })
          .execute();
      }),

    async listLatest(commitment) {
      const rows = await reader
        .selectFrom('endorsements')
        .select(['endorser', 'envelope'])
        .where('commitment', '=', commitment)
        .orderBy('issued_at')
        .execute();
      const latest = new Map(rows.map(({ endorser, envelope }) => [endorser, envelope]));
      return [...latest].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, envelope]) => envelope);
    },
  };
}
