import { randomBytes } from 'node:crypto';

import type { Kysely } from 'kysely';

import { formatInstant } from '../../protocol/encoding/time.ts';
import type { MessageStore } from '../services/contact/messages.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Schema } from './schema.ts';

/** @param mailDomain - Right-hand side of Message-IDs. */
export function messageStore(
  reader: Kysely<Schema>,
  commits: CommitQueue,
  options: { readonly mailDomain: string; readonly now: () => number },
): MessageStore {
  const messageId = (): string => `<${randomBytes(16).toString('hex')}@${options.mailDomain}>`;

  return {
    queueMessages: (campaign, messages) =>
      commits.run(async (tx) => {
        const at = formatInstant(options.now());
        const { last } = await tx
          .selectFrom('mails')
          .select(({ fn }) => fn.max<number | null>('seq').as('last'))
          .executeTakeFirstOrThrow();
        let seq = last ?? 0;
        let queued = 0;
        for (const { operator, kind, directive, armored } of messages) {
          const fresh = {
            armored,
            message_id: messageId(),
            state: 'queued' as const,
            attempts: 0,
            next_attempt_at: at,
            updated_at: at,
          };
          const { numInsertedOrUpdatedRows } = await tx
            .insertInto('mails')
            .values({ seq: ++seq, campaign, operator, kind, directive, ...fresh })
            .onConflict((conflict) =>
              conflict
                .columns(['campaign', 'operator', 'kind', 'directive'])
                .doUpdateSet(fresh)
                .where('mails.state', '=', 'bounced'),
            )
            .executeTakeFirst();
          queued += Number(numInsertedOrUpdatedRows ?? 0n);
        }
        return queued;
      }),

    async listDeliveries(campaign) {
      const rows = await reader
        .selectFrom('mails')
        .select(['operator', 'kind', 'directive', 'state', 'attempts', 'updated_at'])
        .where('campaign', '=', campaign)
        .orderBy('seq')
        .execute();
      return rows.map(({ updated_at, ...row }) => ({ ...row, updatedAt: updated_at }));
    },

    listMessages: (campaign, operator) =>
      reader
        .selectFrom('mails')
        .select(['kind', 'directive', 'armored'])
        .where('campaign', '=', campaign)
        .where('operator', '=', operator)
        .orderBy('seq')
        .execute(),

    async listRecipients() {
      const rows = await reader
        .selectFrom('mails')
        .select(['campaign', 'operator'])
        .distinct()
        .execute();
      const recipients = new Map<string, Set<string>>();
      for (const { campaign, operator } of rows) {
        const known = recipients.get(campaign) ?? new Set<string>();
        recipients.set(campaign, known.add(operator));
      }
      return recipients;
    },
  };
}
