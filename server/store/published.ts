import type { Kysely } from 'kysely';

import { fromBase64 } from '../../protocol/encoding/bytes.ts';
import { NO_CAMPAIGN } from '../../protocol/log/opening.ts';
import type { CommitmentStore, DisclosureStore } from '../services/disclosure/published.ts';
import type { Schema } from './schema.ts';

export function disclosureStore(reader: Kysely<Schema>): DisclosureStore {
  return {
    async findDocument(campaign, name) {
      const row = await reader
        .selectFrom('documents')
        .select('bytes')
        .where('campaign', '=', campaign)
        .where('name', '=', name)
        .executeTakeFirst();
      return row && fromBase64(row.bytes);
    },

    async listOpenings(campaign, after, limit) {
      const disclosure = await reader
        .selectFrom('campaigns')
        .innerJoin('log_leaf', 'log_leaf.queue_seq', 'campaigns.disclosure_seq')
        .select('log_leaf.idx')
        .where('campaigns.id', '=', campaign)
        .executeTakeFirst();
      if (disclosure === undefined) return [];
      const rows = await reader
        .selectFrom('accounted')
        .innerJoin('log_leaf', 'log_leaf.idx', 'accounted.leaf')
        .innerJoin('openings', 'openings.queue_seq', 'log_leaf.queue_seq')
        .select(['accounted.leaf', 'openings.opening'])
        .where('accounted.how', '=', 'opened')
        .where('accounted.leaf', '>', after)
        .where((eb) =>
          eb.or([
            eb('openings.campaign', '=', campaign),
            eb.and([
              eb('openings.campaign', '=', NO_CAMPAIGN),
              eb('accounted.leaf', '<', disclosure.idx),
            ]),
          ]),
        )
        .orderBy('accounted.leaf')
        .limit(limit)
        .execute();
      return rows.map(({ leaf, opening }) => ({ index: leaf, opening }));
    },
  };
}

export function commitmentStore(reader: Kysely<Schema>): CommitmentStore {
  return {
    async listCommitments(size) {
      const rows = await reader
        .selectFrom('commitments')
        .leftJoin('log_leaf', 'log_leaf.queue_seq', 'commitments.queue_seq')
        .select(['commitments.sha256', 'commitments.committed_at', 'log_leaf.idx'])
        .orderBy('commitments.queue_seq')
        .execute();
      return rows.map(({ sha256, committed_at, idx }) => ({
        sha256,
        committedAt: committed_at,
        leafIndex: idx !== null && idx < size ? idx : null,
      }));
    },
  };
}
