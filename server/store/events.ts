import type { Kysely, Transaction } from 'kysely';

import type { EventType } from '../services/campaign/campaign.ts';
import type { CampaignEvent } from '../services/campaign/change.ts';
import type { EventStore } from '../services/campaign/events.ts';
import { appendSealed } from './openings.ts';
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

/** Seal events into the log, each with its row. */
export async function appendEvents(
  tx: Transaction<Schema>,
  campaign: string,
  events: readonly CampaignEvent[],
): Promise<void> {
  for (const { seq, at, type, detail, entry } of events) {
    await appendSealed(tx, [{ ...entry, acceptedAt: at }]);
    await tx
      .insertInto('events')
      .values({ campaign, seq, at, type, detail, opening: entry.digest })
      .execute();
  }
}
