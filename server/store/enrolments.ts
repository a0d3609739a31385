import type { Kysely } from 'kysely';

import type { EnrolmentStore } from '../services/enrolment/enrolment.ts';
import type { CommitQueue } from './commit-queue.ts';
import { appendSealed, readAcceptance } from './openings.ts';
import type { Schema } from './schema.ts';

export function enrolmentStore(reader: Kysely<Schema>, commits: CommitQueue): EnrolmentStore {
  return {
    listEnrolments: () =>
      reader
        .selectFrom('enrolments')
        .select(['envelope', 'email', 'openpgp'])
        .orderBy('seq')
        .execute(),

    async findEnrolment(digest) {
      const row = await reader
        .selectFrom('enrolments')
        .select(['receipt', 'opening'])
        .where('digest', '=', digest)
        .executeTakeFirst();
      return row && readAcceptance(reader, row);
    },

    async addEnrolment({ operator, digest, envelope, email, openpgp, entry }) {
      await commits.run(async (tx) => {
        await appendSealed(tx, [entry]);
        const { last } = await tx
          .selectFrom('enrolments')
          .select(({ fn }) => fn.max<number | null>('seq').as('last'))
          .executeTakeFirstOrThrow();
        await tx
          .insertInto('enrolments')
          .values({
            seq: (last ?? 0) + 1,
            digest,
            operator,
            envelope,
            email,
            openpgp,
            accepted_at: entry.acceptedAt,
            receipt: entry.receipt,
            opening: entry.digest,
          })
          .execute();
      });
    },
  };
}
