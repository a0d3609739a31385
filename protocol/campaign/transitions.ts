import { ProtocolError } from '../errors.ts';

/** Every state a campaign can be in, in the order of a campaign that goes well. */
export const CAMPAIGN_STATUSES = [
  'draft',
  'committed',
  'notified',
  'armed',
  'released',
  'adopted',
  'disclosed',
  'aborted',
  'withdrawn',
] as const;

export type CampaignStatus = (typeof CAMPAIGN_STATUSES)[number];

/** Every decision officers can take; each is one directive. */
export const ACTIONS = [
  'commit',
  'notify',
  'arm',
  'reschedule',
  'supersede',
  'withdraw',
  'abort',
  'leaked',
  'disclose',
] as const;

export type Action = (typeof ACTIONS)[number];

/** What moves a campaign without a directive: shares published, adoption reached, a date passed. */
export type CampaignEvent = 'release' | 'adoption' | 'latest-date';

/** One row of the table: from any of `from`, `by` may lead to any of `to`. */
export interface Move {
  readonly from: readonly CampaignStatus[];
  readonly by: Action | CampaignEvent;
  readonly to: readonly CampaignStatus[];
  /** The directive must say why. */
  readonly reason?: true;
  /** The plan changes with this move and the revision grows by one; else neither may change. */
  readonly revises?: true;
  /** The directive must set `override`, which no other move may. */
  readonly override?: true;
}

/**
 * The only moves there are. Whatever is not in this table is refused.
 *
 * `leaked` from `armed` also makes the release key public knowledge: see `CampaignState.released`.
 *
 * @see docs/spec/campaign.md, "States"
 */
// prettier-ignore
export const MOVES: readonly Move[] = [
  { from: ['draft'],                  by: 'commit',      to: ['committed'] },
  { from: ['committed'],              by: 'commit',      to: ['committed'], reason: true, revises: true },
  { from: ['notified'],               by: 'commit',      to: ['notified'],  reason: true, revises: true },
  { from: ['armed'],                  by: 'commit',      to: ['armed'],     reason: true, revises: true },
  { from: ['released'],               by: 'commit',      to: ['released'],  reason: true, revises: true },
  { from: ['committed'],              by: 'notify',      to: ['notified'] },
  { from: ['committed', 'notified'],  by: 'arm',         to: ['armed'] },
  { from: ['armed'],                  by: 'reschedule',  to: ['armed'],     reason: true },
  { from: ['armed'],                  by: 'release',     to: ['released'] },
  { from: ['released'],               by: 'adoption',    to: ['adopted'] },
  { from: ['adopted'],                by: 'disclose',    to: ['disclosed'] },
  { from: ['released'],               by: 'disclose',    to: ['disclosed'], reason: true, override: true },
  { from: ['withdrawn'],              by: 'disclose',    to: ['disclosed'], reason: true },
  { from: ['aborted'],                by: 'disclose',    to: ['disclosed'] },
  { from: ['released', 'adopted'],    by: 'withdraw',    to: ['withdrawn'], reason: true },
  { from: ['released', 'adopted', 'withdrawn'],
                                      by: 'supersede',   to: ['armed', 'released'], reason: true, revises: true },
  { from: ['draft', 'committed', 'notified', 'armed'],
                                      by: 'abort',       to: ['aborted'],   reason: true },
  { from: ['draft', 'committed', 'notified', 'armed', 'released', 'adopted', 'aborted', 'withdrawn'],
                                      by: 'leaked',      to: ['disclosed'], reason: true },
  { from: ['committed', 'notified', 'armed', 'released', 'adopted', 'aborted', 'withdrawn'],
                                      by: 'latest-date', to: ['disclosed'] },
];

const isAction = (by: Move['by']): by is Action => (ACTIONS as readonly string[]).includes(by);

/** What officers may decide in a state, in the order of the table. Empty once disclosed. */
export function allowedActions(from: CampaignStatus): readonly Action[] {
  const actions = MOVES.filter((move) => move.from.includes(from)).map((move) => move.by);
  return [...new Set(actions.filter(isAction))];
}

/**
 * Look a move up in the table.
 *
 * @throws {@link ProtocolError} `transition_refused`, naming what is allowed instead.
 */
export function getMove(from: CampaignStatus, by: Action | CampaignEvent): Move {
  const move = MOVES.find((row) => row.from.includes(from) && row.by === by);
  if (move === undefined) {
    const allowed = allowedActions(from).join(', ') || 'nothing';
    throw new ProtocolError('transition_refused', `no ${by} from ${from}; allowed: ${allowed}`);
  }
  return move;
}

/**
 * The state a move leads to.
 *
 * @param wanted - Which one, where the table leaves a choice (`supersede`); by default the first.
 * @throws {@link ProtocolError} `transition_refused` for a move that is not in the table.
 */
export function nextStatus(
  from: CampaignStatus,
  by: Action | CampaignEvent,
  wanted?: CampaignStatus,
): CampaignStatus {
  const { to } = getMove(from, by);
  const next = wanted === undefined ? to[0] : to.find((status) => status === wanted);
  if (next === undefined) {
    throw new ProtocolError('transition_refused', `${by} leads from ${from} to ${to.join(' or ')}`);
  }
  return next;
}
