import type { Kysely, Transaction } from 'kysely';

import type { OperatorStatementKind } from '../../protocol/statement/operator.ts';
import type {
  Addition,
  NewStatement,
  StatementStore,
} from '../services/adoption/statement-store.ts';
import { MAX_STATEMENTS, tooManyStatements } from '../services/adoption/statement-store.ts';
import { ServiceError } from '../services/error.ts';
import type { Acceptance, Receipted } from '../services/sealing.ts';
import type { CommitQueue, Outcome } from './commit-queue.ts';
import { compiledInsert, compiledQuery } from './compiled.ts';
import { GroupWriter } from './group-writer.ts';
import { appendSealed, readAcceptance } from './openings.ts';
import type { Schema } from './schema.ts';

type Key = Pick<NewStatement, 'campaign' | 'operator' | 'digest' | 'counter'>;

export function statementStore(reader: Kysely<Schema>, commits: CommitQueue): StatementStore {
  const arriving = new GroupWriter(commits, addStatements);
  return {
    findStatement: (key) => findStatement(reader, key),

    countStatements: (campaign, operator) => countStatements(reader, campaign, operator),

    addStatement: (statement) => arriving.add(statement),

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

/** The answer to this very envelope, and the highest counter of its operator so far. */
async function findStatement(
  db: Kysely<Schema>,
  key: Key,
): ReturnType<StatementStore['findStatement']> {
  const lastCounter = await findLastCounter(db, key);
  // Counters rise: above the last one there can be no copy to look for.
  if (key.counter > lastCounter) return { known: undefined, lastCounter };
  return { known: await findKnown(db, key), lastCounter };
}

const selectLastCounter = compiledQuery<{ last: number | null }>((db) =>
  db
    .selectFrom('statements')
    .select(({ fn }) => fn.max<number | null>('counter').as('last'))
    .where('campaign', '=', '')
    .where('operator', '=', ''),
);

async function findLastCounter(db: Kysely<Schema>, key: Key): Promise<number> {
  const [row] = await selectLastCounter(db, key.campaign, key.operator);
  return row?.last ?? 0;
}

const selectCount = compiledQuery<{ count: number }>((db) =>
  db
    .selectFrom('statements')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('campaign', '=', '')
    .where('operator', '=', ''),
);

async function countStatements(
  db: Kysely<Schema>,
  campaign: string,
  operator: string,
): Promise<number> {
  const [row] = await selectCount(db, campaign, operator);
  return row?.count ?? 0;
}

async function findKnown(
  db: Kysely<Schema>,
  { campaign, operator, counter, digest }: Key,
): Promise<Acceptance | undefined> {
  const same = await db
    .selectFrom('statements')
    .select(['digest', 'receipt', 'opening'])
    .where('campaign', '=', campaign)
    .where('operator', '=', operator)
    .where('counter', '=', counter)
    .executeTakeFirst();
  return same?.digest === digest ? readAcceptance(db, same) : undefined;
}

/**
 * Add the statements of a group, each as if those before it were there already.
 *
 * Looked up again: between the first look and now another copy, or too many others, may have come in.
 */
async function addStatements(
  tx: Transaction<Schema>,
  statements: readonly NewStatement[],
): Promise<readonly Outcome<Addition>[]> {
  const lastCounters = new Map<string, number>();
  const counts = new Map<string, number>();
  const added = new Map<string, NewStatement>();
  const outcomes: Outcome<Addition>[] = [];
  for (const statement of statements) {
    const { campaign, operator, counter, digest, entry } = statement;
    const by = `${campaign} ${operator}`;
    const last = lastCounters.get(by) ?? (await findLastCounter(tx, statement));
    if (counter > last) {
      const count = counts.get(by) ?? (await countStatements(tx, campaign, operator));
      if (count >= MAX_STATEMENTS) {
        outcomes.push({ error: tooManyStatements() });
        continue;
      }
      counts.set(by, count + 1);
      added.set(`${by} ${counter}`, statement);
      lastCounters.set(by, counter);
      outcomes.push({ value: { acceptance: acceptanceOf(entry), added: true } });
      continue;
    }
    const same = added.get(`${by} ${counter}`);
    const known =
      same?.digest === digest ? acceptanceOf(same.entry) : await findKnown(tx, statement);
    outcomes.push(
      known === undefined
        ? { error: new ServiceError('conflict', `the counter must be above ${last}`) }
        : { value: { acceptance: known, added: false } },
    );
  }
  await insertStatements(tx, [...added.values()]);
  return outcomes;
}

const selectLastSeq = compiledQuery<{ last: number | null }>((db) =>
  db
    .selectFrom('statements')
    .select(({ fn }) => fn.max<number | null>('seq').as('last'))
    .where('campaign', '=', ''),
);
const insertStatement = compiledInsert('statements', [
  'campaign',
  'seq',
  'operator',
  'kind',
  'revision',
  'counter',
  'digest',
  'envelope',
  'accepted_at',
  'receipt',
  'opening',
]);

async function insertStatements(
  tx: Transaction<Schema>,
  statements: readonly NewStatement[],
): Promise<void> {
  await appendSealed(
    tx,
    statements.map(({ entry }) => entry),
  );
  const lastSeqs = new Map<string, number>();
  for (const { entry, ...row } of statements) {
    const last = lastSeqs.get(row.campaign) ?? (await selectLastSeq(tx, row.campaign))[0]?.last;
    const seq = (last ?? 0) + 1;
    lastSeqs.set(row.campaign, seq);
    const { acceptedAt, receipt, digest } = entry;
    await insertStatement(tx, { ...row, seq, accepted_at: acceptedAt, receipt, opening: digest });
  }
}

function acceptanceOf({ receipt, opening }: Receipted): Acceptance {
  return { receipt, opening };
}
