import type { Kysely, Transaction } from 'kysely';

import { formatInstant } from '../../protocol/encoding/time.ts';
import type { DirectiveStore } from '../services/campaign/directive-store.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Schema } from './schema.ts';

export function directiveStore(
  reader: Kysely<Schema>,
  commits: CommitQueue,
  now: () => number,
): DirectiveStore {
  return {
    async listDirectives(campaign) {
      const rows = await reader
        .selectFrom('directives')
        .select(['envelope', 'completed_at', 'digest'])
        .where('campaign', '=', campaign)
        .orderBy('sequence')
        .execute();
      return rows.map(({ envelope, completed_at, digest }) => ({
        envelope,
        digest,
        completedAt: completed_at,
      }));
    },

    async getPromise(campaign, sequence) {
      const { completed_at, ...promise } = await reader
        .selectFrom('directives')
        .innerJoin('openings', 'openings.digest', 'directives.opening')
        .select(['directives.receipt', 'directives.completed_at', 'openings.opening'])
        .where('directives.campaign', '=', campaign)
        .where('directives.sequence', '=', sequence)
        .executeTakeFirstOrThrow();
      return { ...promise, completedAt: completed_at };
    },

    listProposals: (campaign) =>
      reader
        .selectFrom('proposals')
        .select(['proposer', 'digest', 'envelope', 'targets', 'seq'])
        .where('campaign', '=', campaign)
        .orderBy('seq')
        .execute(),

    saveProposal: (campaign, proposal, attachment) =>
      commits.run(async (tx) => {
        const { proposer, digest, envelope, targets } = proposal;
        const { last } = await tx
          .selectFrom('proposals')
          .select(({ fn }) => fn.max<number | null>('seq').as('last'))
          .executeTakeFirstOrThrow();
        const changed = { digest, envelope, targets, seq: proposal.seq ?? (last ?? 0) + 1 };
        await tx
          .insertInto('proposals')
          .values({ campaign, proposer, ...changed })
          .onConflict((conflict) => conflict.columns(['campaign', 'proposer']).doUpdateSet(changed))
          .execute();
        if (attachment !== undefined) await saveAttachment(tx, campaign, attachment);
      }),

    listAttachments: (campaign) =>
      reader
        .selectFrom('attachments')
        .select(['officer', 'sealed'])
        .where('campaign', '=', campaign)
        .orderBy('officer')
        .execute(),

    listCustody: (plan, officer) =>
      reader
        .selectFrom('custody')
        .select(['key', 'officer', 'sealed'])
        .where('plan', '=', plan)
        .where('officer', '=', officer)
        .orderBy('key')
        .execute(),

    async findSignatures(plan) {
      const row = await reader
        .selectFrom('signatures')
        .select('sealed')
        .where('plan', '=', plan)
        .executeTakeFirst();
      return row?.sealed;
    },

    saveSignatures: (plan, sealed) =>
      commits.run(async (tx) => {
        const row = { sealed, stored_at: formatInstant(now()) };
        await tx
          .insertInto('signatures')
          .values({ plan, ...row })
          .onConflict((conflict) => conflict.column('plan').doUpdateSet(row))
          .execute();
      }),

    async findLatestTargets() {
      const row = await reader
        .selectFrom('tuf_targets')
        .select(['version', 'bytes', 'sha256'])
        .orderBy('version', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row && { ...row, bytes: new TextEncoder().encode(row.bytes) };
    },
  };
}

/** The latest of each officer is kept. */
export async function saveAttachment(
  tx: Transaction<Schema>,
  campaign: string,
  attachment: { readonly officer: string; readonly sealed: string },
): Promise<void> {
  const { sealed } = attachment;
  await tx
    .insertInto('attachments')
    .values({ campaign, ...attachment })
    .onConflict((conflict) => conflict.columns(['campaign', 'officer']).doUpdateSet({ sealed }))
    .execute();
}
