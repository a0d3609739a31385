import type { Kysely, Transaction } from 'kysely';

import type { OperatorStatementKind } from '../../protocol/statement/operator.ts';
import type { NewStatement, StatementStore } from '../services/adoption/statement-store.ts';
import { ServiceError } from '../services/error.ts';
import type { CommitQueue } from './commit-queue.ts';
import { appendSealed, readAcceptance } from './openings.ts';
import type { Schema } from './schema.ts';

type Key = Pick<NewStatement, 'campaign' | 'operator' | 'digest' | 'counter'>;

export function statementStore(reader: Kysely<Schema>, commits: CommitQueue): StatementStore {
  return {
    findStatement: (key) => findStatement(reader, key),

    addStatement: (statement) =>
      commits.run(async (tx) => {
        // Looked up again: between the first look and now another copy may have come in.
        const { known, lastCounter } = await findStatement(tx, statement);
        if (known !== undefined) return { acceptance: known, added: false };
        if (statement.counter <= lastCounter) {
          throw new ServiceError('conflict', `the counter must be above ${lastCounter}`);
        }
        await insertStatement(tx, statement);
        const { receipt, opening } = statement.entry;
        return { acceptance: { receipt, opening }, added: true };
      }),

    async listStatements(campaign, after, limit) {
      const rows = await reader
        .selectFrom('statements')
        .select(['seq', 'accepted_at', 'envelope'])
        .where('campaign', '=', campaign)
        .where('seq', '>', after)
        .orderBy('seq')
        .limit(limit)
        .execute();
      return rows.map(({ seq, accepted_at, envelope }) => ({
        seq,
        acceptedAt: accepted_at,
        envelope,
      }));
    },

    async listKinds(campaign, operator) {
      const query = reader
        .selectFrom('statements')
        .select(['operator', 'kind', 'counter'])
        .where('campaign', '=', campaign)
        .orderBy('seq');
      const rows = await (
        operator === undefined ? query : query.where('operator', '=', operator)
      ).execute();
      return rows.map((row) => ({ ...row, kind: row.kind as OperatorStatementKind }));
    },
  };
}

async function findStatement(
  db: Kysely<Schema>,
  { campaign, operator, digest, counter }: Key,
): ReturnType<StatementStore['findStatement']> {
  const { last, count } = await db
    .selectFrom('statements')
    .select(({ fn }) => [
      fn.max<number | null>('counter').as('last'),
      fn.countAll<number>().as('count'),
    ])
    .where('campaign', '=', campaign)
    .where('operator', '=', operator)
    .executeTakeFirstOrThrow();
  const lastCounter = last ?? 0;
  // Counters rise: above the last one there can be no copy to look for.
  if (counter > lastCounter) return { known: undefined, lastCounter, count };
  const same = await db
    .selectFrom('statements')
    .select(['digest', 'receipt', 'opening'])
    .where('campaign', '=', campaign)
    .where('operator', '=', operator)
    .where('counter', '=', counter)
    .executeTakeFirst();
  const known = same?.digest === digest ? await readAcceptance(db, same) : undefined;
  return { known, lastCounter, count };
}

async function insertStatement(tx: Transaction<Schema>, statement: NewStatement): Promise<void> {
  const { campaign, operator, kind, revision, counter, digest, envelope, entry } = statement;
  await appendSealed(tx, [entry], entry.acceptedAt);
  await tx
    .insertInto('statements')
    .values((insert) => ({
      campaign,
      seq: insert
        .selectFrom('statements')
        .where('campaign', '=', campaign)
        .select(({ eb, fn }) =>
          eb(fn.coalesce(fn.max<number | null>('seq'), eb.lit(0)), '+', eb.lit(1)).as('next'),
        ),
      operator,
      kind,
      revision,
      counter,
      digest,
      envelope,
      accepted_at: entry.acceptedAt,
      receipt: entry.receipt,
      opening: entry.digest,
    }))
    .execute();
}
