import type { Kysely } from 'kysely';

import { formatInstant } from '../../protocol/encoding/time.ts';
import type { OutboxStore } from '../services/contact/outbox.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Schema } from './schema.ts';

export function outboxStore(
  reader: Kysely<Schema>,
  commits: CommitQueue,
  now: () => number,
): OutboxStore {
  return {
    async listDue(busy, limit) {
      const rows = await reader
        .selectFrom('mails')
        .select(['seq', 'campaign', 'operator', 'armored', 'message_id', 'attempts'])
        .where('state', 'in', ['queued', 'deferred'])
        .where('next_attempt_at', '<=', formatInstant(now()))
        .where('seq', 'not in', [...busy])
        .orderBy('seq')
        .limit(limit)
        .execute();
      return rows.map(({ message_id, ...row }) => ({ ...row, messageId: message_id }));
    },

    async saveOutcome(seq, outcome) {
      await commits.run((tx) => {
        const at = formatInstant(now());
        return tx
          .updateTable('mails')
          .set((eb) => ({
            state: outcome.state,
            attempts: eb('attempts', '+', 1),
            next_attempt_at: outcome.state === 'deferred' ? formatInstant(outcome.at) : at,
            updated_at: at,
          }))
          .where('seq', '=', seq)
          .execute();
      });
    },
  };
}
