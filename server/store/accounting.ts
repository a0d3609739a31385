import type { Kysely } from 'kysely';

import { formatInstant } from '../../protocol/encoding/time.ts';
import { NO_CAMPAIGN } from '../../protocol/log/opening.ts';
import type { AccountingStore } from '../services/disclosure/accounting.ts';
import type { CommitQueue } from './commit-queue.ts';
import { appendLeaves } from './openings.ts';
import type { Schema } from './schema.ts';

export function accountingStore(
  reader: Kysely<Schema>,
  commits: CommitQueue,
  now: () => number,
): AccountingStore {
  return {
    async listDisclosures(size) {
      const rows = await reader
        .selectFrom('campaigns')
        .innerJoin('log_leaf', 'log_leaf.queue_seq', 'campaigns.disclosure_seq')
        .select(['campaigns.id', 'log_leaf.idx'])
        .where('log_leaf.idx', '<', size)
        .orderBy('log_leaf.idx')
        .execute();
      return rows.map(({ id, idx }) => ({ campaign: id, index: idx }));
    },

    async listUnopened({ campaign, index }, start, end) {
      const rows = await reader
        .selectFrom('openings')
        .innerJoin('log_leaf', 'log_leaf.queue_seq', 'openings.queue_seq')
        .leftJoin('accounted', (join) =>
          join.onRef('accounted.leaf', '=', 'log_leaf.idx').on('accounted.how', '=', 'opened'),
        )
        .select('log_leaf.idx')
        .where('log_leaf.idx', '>=', start)
        .where('log_leaf.idx', '<', end)
        .where('accounted.leaf', 'is', null)
        .where((eb) =>
          eb.or([
            eb('openings.campaign', '=', campaign),
            eb.and([eb('openings.campaign', '=', NO_CAMPAIGN), eb('log_leaf.idx', '<', index)]),
          ]),
        )
        .orderBy('log_leaf.idx')
        .execute();
      return rows.map(({ idx }) => idx);
    },

    async listUnaccounted(index) {
      const rows = await reader
        .selectFrom('openings')
        .innerJoin('log_leaf', 'log_leaf.queue_seq', 'openings.queue_seq')
        .leftJoin('accounted', 'accounted.leaf', 'log_leaf.idx')
        .select('log_leaf.idx')
        .where('log_leaf.idx', '<', index)
        .where('accounted.leaf', 'is', null)
        .orderBy('log_leaf.idx')
        .execute();
      return rows.map(({ idx }) => idx);
    },

    async account(accounts) {
      if (accounts.length === 0) return;
      await commits.run(async (tx) => {
        for (const account of accounts) await tx.insertInto('accounted').values(account).execute();
        const leaves = accounts.map(({ leaf, how }) =>
          how === 'opened'
            ? ({ type: 'opened', index: leaf } as const)
            : ({ type: 'withheld', index: leaf, reason: 'other' } as const),
        );
        await appendLeaves(tx, leaves, formatInstant(now()));
      });
    },
  };
}
