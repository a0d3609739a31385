import type { Kysely } from 'kysely';

import type { EventType } from '../services/campaign/campaign.ts';
import type { EventStore } from '../services/campaign/events.ts';
import type { Schema } from './schema.ts';

export function eventStore(reader: Kysely<Schema>): EventStore {
  return {
    async listEvents(campaign, after, limit) {
      const rows = await reader
        .selectFrom('events')
        .select(['seq', 'at', 'type', 'detail'])
        .where('campaign', '=', campaign)
        .where('seq', '>', after)
        .orderBy('seq')
        .limit(limit)
        .execute();
      return rows.map((row) => ({ ...row, type: row.type as EventType }));
    },
  };
}
