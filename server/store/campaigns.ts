import type { Kysely, Transaction } from 'kysely';

import { locksOf } from '../../protocol/campaign/campaign.ts';
import { CAMPAIGN_STATUSES } from '../../protocol/campaign/transitions.ts';
import { parsePlan } from '../../protocol/campaign/plan.ts';
import type { KeyName } from '../../protocol/embargo/key-name.ts';
import { fromBase64, sha256Hex, toBase64 } from '../../protocol/encoding/bytes.ts';
import { formatInstant } from '../../protocol/encoding/time.ts';
import type { Campaign, StoredPlan } from '../services/campaign/campaign.ts';
import type { CampaignChange, CampaignEvent } from '../services/campaign/change.ts';
import type { CampaignStore, NewPlan } from '../services/campaign/registry.ts';
import { ServiceError } from '../services/error.ts';
import type { CommitQueue } from './commit-queue.ts';
import { saveAttachment } from './directives.ts';
import { appendLeaves, appendSealed } from './openings.ts';
import type { Schema } from './schema.ts';

type Row = Schema['campaigns'];

const MUTABLE_COLUMNS = [
  'plan',
  'status',
  'sequence',
  'previous',
  'root_version',
  'release_time',
  'latest_disclosure',
  'released',
  'break_glass',
  'events',
  'armed_at',
  'released_at',
  'supermajority_at',
  'disclosed_at',
  'opened_at',
  'closing_key',
] as const;

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

async function appendEvents(
  tx: Transaction<Schema>,
  campaign: string,
  events: readonly CampaignEvent[],
): Promise<void> {
  for (const { seq, at, type, detail, entry } of events) {
    await appendSealed(tx, [entry], at);
    await tx
      .insertInto('events')
      .values({ campaign, seq, at, type, detail, opening: entry.digest })
      .execute();
  }
}

/** Compare-and-swap: of two changes that start from the same state one loses. */
async function applyChange(tx: Transaction<Schema>, change: CampaignChange): Promise<void> {
  const { before, after, at } = change;
  const id = before.state.campaign;
  const { numUpdatedRows } = await tx
    .updateTable('campaigns')
    .set(mutableColumns(after))
    .where('id', '=', id)
    .where('sequence', '=', before.state.sequence)
    .where('status', '=', before.state.status)
    .where('events', '=', before.events)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) throw new ServiceError('conflict', 'the campaign has moved on');
  await addDirective(tx, change);
  await addPublication(tx, change);
  await appendEvents(tx, id, change.events);
  await addOpenLeaves(tx, change);
  if (change.attachment !== undefined) await saveAttachment(tx, id, change.attachment);
  if (change.targets !== undefined) {
    const { version, bytes, sha256 } = change.targets;
    const text = new TextDecoder().decode(bytes);
    await tx.insertInto('tuf_targets').values({ version, bytes: text, sha256 }).execute();
  }
  for (const [name, bytes] of change.documents ?? []) {
    const row = { campaign: id, name, sha256: sha256Hex(bytes), bytes: toBase64(bytes) };
    await tx.insertInto('documents').values(row).execute();
  }
  if (change.disclosure !== undefined) {
    const [seq] = await appendLeaves(tx, [change.disclosure], at);
    await tx
      .updateTable('campaigns')
      .set({ disclosure_seq: seq ?? 0 })
      .where('id', '=', id)
      .execute();
  }
}

async function addDirective(tx: Transaction<Schema>, change: CampaignChange): Promise<void> {
  const { directive, before, at } = change;
  if (directive === undefined) return;
  const { sequence, digest, envelope, entry } = directive;
  const campaign = before.state.campaign;
  await appendSealed(tx, [entry], at);
  await tx
    .insertInto('directives')
    .values({
      campaign,
      sequence,
      digest,
      envelope,
      completed_at: at,
      opening: entry.digest,
      receipt: entry.receipt,
    })
    .execute();
  await tx.deleteFrom('proposals').where('campaign', '=', campaign).execute();
}

async function addPublication(tx: Transaction<Schema>, change: CampaignChange): Promise<void> {
  if (change.publication === undefined) return;
  const { entry, ...publication } = change.publication;
  await appendSealed(tx, [entry], entry.acceptedAt);
  await tx
    .insertInto('publications')
    .values({
      campaign: change.before.state.campaign,
      ...publication,
      accepted_at: entry.acceptedAt,
      receipt: entry.receipt,
      opening: entry.digest,
    })
    .execute();
}

async function addOpenLeaves(tx: Transaction<Schema>, change: CampaignChange): Promise<void> {
  const { commitment, before, at } = change;
  if (commitment === undefined) return;
  const [seq] = await appendLeaves(tx, [{ type: 'commitment', sha256: commitment }], at);
  await tx
    .insertInto('commitments')
    .values({
      sha256: commitment,
      queue_seq: seq ?? 0,
      campaign: before.state.campaign,
      committed_at: at,
    })
    .execute();
}

function mutableColumns(campaign: Campaign): Pick<Row, (typeof MUTABLE_COLUMNS)[number]> {
  const { state } = campaign;
  return {
    plan: state.plan,
    status: state.status,
    sequence: state.sequence,
    previous: state.previous,
    root_version: state.rootVersion,
    release_time: state.releaseTime,
    latest_disclosure: state.latestDisclosure,
    released: state.released ? 1 : 0,
    break_glass: state.breakGlass === 'broken' ? 1 : 0,
    events: campaign.events,
    armed_at: campaign.armedAt,
    released_at: campaign.releasedAt,
    supermajority_at: campaign.supermajorityAt,
    disclosed_at: campaign.disclosedAt,
    opened_at: campaign.openedAt,
    closing_key: campaign.closingKey,
  };
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
      state: {
        campaign: row.id,
        network: plan.network,
        exercise: plan.exercise,
        status: readStatus(row.status),
        revision: plan.revision,
        sequence: row.sequence,
        previous: row.previous,
        plan: row.plan,
        rootVersion: row.root_version,
        releaseTime: row.release_time,
        latestDisclosure: row.latest_disclosure,
        released: row.released === 1,
        ...locksOf(plan),
        ...(row.break_glass === 1 && { breakGlass: 'broken' as const }),
      },
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

function readStatus(text: string): (typeof CAMPAIGN_STATUSES)[number] {
  const status = CAMPAIGN_STATUSES.find((known) => known === text);
  if (status === undefined) throw new Error('a campaign has an unknown status');
  return status;
}
