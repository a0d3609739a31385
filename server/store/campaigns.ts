import type { Kysely, Transaction } from 'kysely';

import { parsePlan } from '../../protocol/plan/plan.ts';
import type { KeyName } from '../../protocol/plan/key-name.ts';
import { fromBase64, sha256Hex, toBase64 } from '../../protocol/encoding/bytes.ts';
import { formatInstant } from '../../protocol/encoding/time.ts';
import type { Campaign, StoredPlan } from '../services/campaign/campaign.ts';
import type { CampaignStore, NewPlan } from '../services/campaign/registry.ts';
import { applyChange } from './campaign-change.ts';
import { mutableColumns, MUTABLE_COLUMNS, stateOf } from './campaign-row.ts';
import type { CommitQueue } from './commit-queue.ts';
import { appendEvents } from './events.ts';
import type { Schema } from './schema.ts';

export function campaignStore(
  reader: Kysely<Schema>,
  commits: CommitQueue,
  now: () => number,
): CampaignStore {
  return {
    listCampaigns: () => listCampaigns(reader),

    createCampaign: (campaign, plan, event) =>
      commits.run(async (tx) => {
        await insertPlan(tx, plan, campaign.createdAt);
        await tx
          .insertInto('campaigns')
          .values({
            id: plan.campaign,
            ...mutableColumns(campaign),
            created_at: campaign.createdAt,
          })
          .execute();
        await appendEvents(tx, plan.campaign, [event]);
      }),

    addPlan: (plan) =>
      commits.run(async (tx) => {
        await insertPlan(tx, plan, formatInstant(now()));
      }),

    applyChange: (change) => commits.run((tx) => applyChange(tx, change)),
  };
}

async function insertPlan(tx: Transaction<Schema>, plan: NewPlan, at: string): Promise<void> {
  const { digest, campaign, revision, bytes, custody } = plan;
  await tx
    .insertInto('plans')
    .values({ digest, campaign, revision, bytes: toBase64(bytes), stored_at: at })
    .execute();
  const rows = custody.map((share) => ({ plan: digest, ...share }));
  await tx.insertInto('custody').values(rows).execute();
}

async function listCampaigns(reader: Kysely<Schema>): Promise<Campaign[]> {
  const plans = await readPlans(reader);
  const published = await reader
    .selectFrom('publications')
    .select(['campaign', 'kind', 'officer', 'subject'])
    .where('kind', '!=', 'release-key')
    .execute();
  const rows = await reader
    .selectFrom('campaigns')
    .select(['id', 'created_at', ...MUTABLE_COLUMNS])
    .orderBy('created_at')
    .execute();
  return rows.map((row) => {
    const own = plans.get(row.id) ?? new Map<string, StoredPlan>();
    const plan = own.get(row.plan)?.plan;
    if (plan === undefined) throw new Error(`the plan of ${row.id} is missing`);
    const planned = new Set(plan.shares.map(({ sha256 }) => sha256));
    const officers = (kind: KeyName): string[] =>
      published
        .filter((it) => it.campaign === row.id && it.kind === kind && planned.has(it.subject))
        .map(({ officer }) => officer)
        .sort();
    return {
      state: stateOf(row, plan),
      plans: own,
      events: row.events,
      releaseShares: officers('release'),
      closingShares: officers('closing'),
      breakGlassShares: officers('break-glass'),
      createdAt: row.created_at,
      armedAt: row.armed_at,
      releasedAt: row.released_at,
      supermajorityAt: row.supermajority_at,
      disclosedAt: row.disclosed_at,
      openedAt: row.opened_at,
      closingKey: row.closing_key,
    };
  });
}

/** By campaign, then by digest. Each is hashed again: nothing decides on a damaged plan. */
async function readPlans(reader: Kysely<Schema>): Promise<Map<string, Map<string, StoredPlan>>> {
  const plans = new Map<string, Map<string, StoredPlan>>();
  const rows = await reader.selectFrom('plans').select(['digest', 'campaign', 'bytes']).execute();
  for (const { digest, campaign, bytes: text } of rows) {
    const bytes = fromBase64(text);
    if (sha256Hex(bytes) !== digest) throw new Error(`a plan of ${campaign} is damaged`);
    const own = plans.get(campaign) ?? new Map<string, StoredPlan>();
    own.set(digest, { plan: parsePlan(bytes), bytes });
    plans.set(campaign, own);
  }
  return plans;
}
