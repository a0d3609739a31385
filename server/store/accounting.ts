import type { Kysely, Transaction } from 'kysely';

import { formatInstant } from '../../protocol/encoding/time.ts';
import type { Leaf } from '../../protocol/log/leaf.ts';
import { NO_CAMPAIGN } from '../../protocol/log/opening.ts';
import type { AccountingStore, DummyStore } from '../services/disclosure/accounting.ts';
import type { CommitQueue } from './commit-queue.ts';
import { spansBetween, spansOf } from './log/spans.ts';
import { appendLeaves } from './openings.ts';
import type { Schema } from './schema.ts';

/** SQLite takes 32,766 parameters a statement. */
const MAX_ROWS = 10_000;

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
        .leftJoin('accounted_dummies', 'accounted_dummies.campaign', 'campaigns.id')
        .select(['campaigns.id', 'log_leaf.idx', 'accounted_dummies.how'])
        .where('log_leaf.idx', '<', size)
        .orderBy('log_leaf.idx')
        .execute();
      return rows.map(({ id, idx, how }) => ({
        campaign: id,
        index: idx,
        isSettled: how !== null,
      }));
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

    async open(campaign, leaves) {
      if (leaves.length === 0) return;
      await commits.run(async (tx) => {
        await writeAccounts(tx, campaign, 'opened', leaves);
        const opened = leaves.map((index) => ({ type: 'opened', index }) as const);
        await appendLeaves(tx, opened, formatInstant(now()));
      });
    },

    settle: ({ campaign, index }, size) =>
      commits.run(async (tx) => {
        const left = await listUnaccounted(tx, index);
        const hidden = await isAnyHidden(tx, size);
        const start = await accountedBelow(tx, hidden ? ['dummy', 'withheld'] : ['dummy']);
        const others = await listNumbered(tx, start, index);
        const isLeft = new Set(left);
        // Nothing that is withheld may stand apart from the dummies around it.
        const settlement = hidden
          ? {
              dummies: [],
              withheld: [
                ...spansOf(left.filter((leaf) => leaf < start)),
                ...spansBetween(
                  others.filter((leaf) => !isLeft.has(leaf)),
                  start,
                  index,
                ),
              ],
            }
          : { dummies: spansBetween(others, start, index), withheld: spansOf(left) };

        await writeAccounts(tx, campaign, 'withheld', left);
        const how = hidden ? 'withheld' : 'dummy';
        await tx.insertInto('accounted_dummies').values({ campaign, how, below: index }).execute();
        const leaves: Leaf[] = [
          ...settlement.dummies.map((span) => ({ type: 'dummy', ...span }) as const),
          ...settlement.withheld.map(
            (span) => ({ type: 'withheld', ...span, reason: 'other' }) as const,
          ),
        ];
        if (leaves.length > 0) await appendLeaves(tx, leaves, formatInstant(now()));
        return settlement;
      }),
  };
}

export function dummyStore(reader: Kysely<Schema>): DummyStore {
  return { openedBelow: () => accountedBelow(reader, ['dummy']) };
}

/** Sealed leaves below `index` that nothing accounts for, other than dummies. */
async function listUnaccounted(tx: Transaction<Schema>, index: number): Promise<number[]> {
  const rows = await tx
    .selectFrom('openings')
    .innerJoin('log_leaf', 'log_leaf.queue_seq', 'openings.queue_seq')
    .leftJoin('accounted', 'accounted.leaf', 'log_leaf.idx')
    .select('log_leaf.idx')
    .where('log_leaf.idx', '<', index)
    .where('accounted.leaf', 'is', null)
    .orderBy('log_leaf.idx')
    .execute();
  return rows.map(({ idx }) => idx);
}

/** Leaves from `start` to `end - 1` that are no dummies. */
async function listNumbered(
  tx: Transaction<Schema>,
  start: number,
  end: number,
): Promise<number[]> {
  const rows = await tx
    .selectFrom('log_leaf')
    .select('idx')
    .where('idx', '>=', start)
    .where('idx', '<', end)
    .orderBy('idx')
    .execute();
  return rows.map(({ idx }) => idx);
}

/** Whether there is a campaign whose disclosure is not published. */
async function isAnyHidden(tx: Transaction<Schema>, size: number): Promise<boolean> {
  const row = await tx
    .selectFrom('campaigns')
    .leftJoin('log_leaf', 'log_leaf.queue_seq', 'campaigns.disclosure_seq')
    .select('campaigns.id')
    .where((eb) => eb.or([eb('log_leaf.idx', 'is', null), eb('log_leaf.idx', '>=', size)]))
    .executeTakeFirst();
  return row !== undefined;
}

async function accountedBelow(
  db: Kysely<Schema> | Transaction<Schema>,
  how: readonly ('dummy' | 'withheld')[],
): Promise<number> {
  const { below } = await db
    .selectFrom('accounted_dummies')
    .select(({ fn }) => fn.max<number | null>('below').as('below'))
    .where('how', 'in', how)
    .executeTakeFirstOrThrow();
  return below ?? 0;
}

async function writeAccounts(
  tx: Transaction<Schema>,
  campaign: string,
  how: 'opened' | 'withheld',
  leaves: readonly number[],
): Promise<void> {
  for (let start = 0; start < leaves.length; start += MAX_ROWS) {
    const rows = leaves.slice(start, start + MAX_ROWS).map((leaf) => ({ leaf, how, campaign }));
    await tx.insertInto('accounted').values(rows).execute();
  }
}
