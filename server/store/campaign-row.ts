import { locksOf } from '../../protocol/campaign/campaign.ts';
import type { Plan } from '../../protocol/plan/plan.ts';
import { CAMPAIGN_STATUSES } from '../../protocol/campaign/transitions.ts';
import type { Campaign } from '../services/campaign/campaign.ts';
import type { Schema } from './schema.ts';

type Row = Schema['campaigns'];
type MutableColumn = (typeof MUTABLE_COLUMNS)[number];

/** What changes of a campaign after it was created. */
export const MUTABLE_COLUMNS = [
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

export function mutableColumns(campaign: Campaign): Pick<Row, MutableColumn> {
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

/** The state that a row tells, under the plan in force. */
export function stateOf(row: Pick<Row, 'id' | MutableColumn>, plan: Plan): Campaign['state'] {
  return {
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
  };
}

function readStatus(text: string): (typeof CAMPAIGN_STATUSES)[number] {
  const status = CAMPAIGN_STATUSES.find((known) => known === text);
  if (status === undefined) throw new Error('a campaign has an unknown status');
  return status;
}
