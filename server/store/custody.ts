import type { Kysely } from 'kysely';

import { isServerHolder } from '../../protocol/trust/server-holder.ts';
import type { CustodyStore } from '../services/custody/custodian.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Schema } from './schema.ts';

/** Officers' shares stay where they are; the server's own are forgotten when they are of no use. */
export function custodyStore(reader: Kysely<Schema>, commits: CommitQueue): CustodyStore {
  return {
    async listOwnShares() {
      const rows = await reader
        .selectFrom('custody')
        .select(['plan', 'officer', 'sealed'])
        .where('key', '=', 'release')
        .where('officer', 'like', 'server%')
        .orderBy('officer')
        .execute();
      return rows
        .filter(({ officer }) => isServerHolder(officer))
        .map(({ plan, officer, sealed }) => ({ plan, holder: officer, sealed }));
    },

    forgetShare: ({ plan, holder }) =>
      commits.run(async (tx) => {
        await tx
          .deleteFrom('custody')
          .where('plan', '=', plan)
          .where('key', '=', 'release')
          .where('officer', '=', holder)
          .execute();
      }),
  };
}
