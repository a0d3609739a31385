import { parseTime } from '../encoding/time.ts';
import { ProtocolError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import type { Directive } from './directive.ts';
import { checkRevision } from './revision.ts';
import { getMove, nextStatus } from './transitions.ts';
import type { CampaignEvent, CampaignStatus } from './transitions.ts';

/** Where a campaign stands: the fold of its directives and events. */
export interface CampaignState {
  readonly campaign: string;
  readonly network: string;
  readonly exercise: boolean;
  readonly status: CampaignStatus;
  /** Revision of the plan in force. */
  readonly revision: number;
  /** Completed directives; the next one carries one more. */
  readonly sequence: number;
  /** Digest of the last completed directive's payload; `null` before the first. */
  readonly previous: string | null;
  /** SHA-256 of the plan in force. */
  readonly plan: string;
  /** The newest root under which a directive was completed; 0 before the first. */
  readonly rootVersion: number;
  /** T0 as it stands, RFC 3339 UTC. */
  readonly releaseTime: string;
  /** RFC 3339 UTC. */
  readonly latestDisclosure: string;
  /**
   * The release key of this revision may be out: enough shares were published, or the embargo was
   * `leaked` while armed, whereupon agents publish at once.
   */
  readonly released: boolean;
  /** Release shares are locked to T0 as it was when they were made: T0 can only move later. */
  readonly timelocked: boolean;
  /** `broken` by `leaked` while armed: the shares of the second, unlocked split may be out. */
  readonly breakGlass: 'none' | 'sealed' | 'broken';
}

type Context = 'campaign' | 'network' | 'exercise' | 'plan' | 'revision';

/** How far an officer's clock may be ahead of the one that judges a directive. */
export const MAX_CLOCK_SKEW_MS = 5 * 60 * 1000;

/**
 * A campaign at its start, before any directive.
 *
 * @param planDigest - SHA-256 of the plan's bytes, its first revision.
 * @throws {@link ProtocolError} `plan_invalid` for a later revision.
 */
export function openCampaign(plan: Plan, planDigest: string): CampaignState {
  if (plan.revision !== 1) {
    throw new ProtocolError('plan_invalid', 'a campaign opens with revision 1 of its plan');
  }
  return {
    campaign: plan.campaign,
    network: plan.network,
    exercise: plan.exercise,
    status: 'draft',
    revision: 1,
    sequence: 0,
    previous: null,
    plan: planDigest,
    rootVersion: 0,
    releaseTime: plan.releaseTime,
    latestDisclosure: plan.latestDisclosure,
    released: false,
    ...locksOf(plan),
  };
}

/** What a plan's time-lock and break-glass split mean for a campaign, before either is used. */
export function locksOf({
  timelock,
  breakGlassThreshold,
}: Plan): Pick<CampaignState, 'timelocked' | 'breakGlass'> {
  return {
    timelocked: timelock !== undefined,
    breakGlass: breakGlassThreshold === undefined ? 'none' : 'sealed',
  };
}

/**
 * Apply a completed directive, whose signatures have been verified.
 *
 * @param payloadDigest - SHA-256 of the signed payload.
 * @param now - Unix ms at which its last signature came in: it must not have expired by then.
 * @param plans - Parsed and checked plans by digest. Only moves that revise the plan look there, for
 *   the one in force and the one to follow.
 * @throws {@link ProtocolError} `statement_invalid` for another campaign, network, kind of exercise
 *   or plan; `transition_refused` when its number, predecessor, state, revision or time does not
 *   follow; `plan_invalid` for a plan that may not follow the one in force.
 * @see docs/spec/campaign.md, "Directives"
 */
export function applyDirective(
  state: CampaignState,
  directive: Directive,
  payloadDigest: string,
  now: number,
  plans: ReadonlyMap<string, Plan> = new Map(),
): CampaignState {
  const { action, sequence, rootVersion } = directive;
  checkSame(directive, state, 'campaign', 'network', 'exercise');
  refuseUnless(sequence === state.sequence + 1, `number ${state.sequence + 1} is next`);
  refuseUnless(directive.previous === state.previous, 'it follows another directive');
  refuseUnless(rootVersion >= state.rootVersion, 'it was signed under an older root of trust');
  refuseUnless(directive.from === state.status, `the campaign is ${state.status}`);
  const move = getMove(state.status, action);
  const status = nextStatus(state.status, action, directive.to);
  checkTimes(state, directive, now);

  const next = { ...state, status, sequence, rootVersion, previous: payloadDigest };
  if (move.revises) return revise(next, state, directive, plans, now);
  checkSame(directive, state, 'plan', 'revision');
  const frees = action === 'leaked' && state.status === 'armed';
  return {
    ...next,
    releaseTime: directive.releaseTime ?? state.releaseTime,
    released: state.released || frees,
    ...(frees && breakLock(state)),
  };
}

/** What is locked to a round nobody can free earlier, so `leaked` needs a split that is not. */
function breakLock({ timelocked, breakGlass }: CampaignState): Pick<CampaignState, 'breakGlass'> {
  refuseUnless(
    !timelocked || breakGlass !== 'none',
    'its shares are locked until T0 and there is no break-glass split',
  );
  return { breakGlass: timelocked ? 'broken' : 'none' };
}

/**
 * Enough officers have published their shares.
 *
 * @throws {@link ProtocolError} `transition_refused` unless armed.
 */
export function applyRelease(state: CampaignState): CampaignState {
  return { ...applyEvent(state, 'release'), released: true };
}

/**
 * The tally has passed the gate. Never taken back.
 *
 * @throws {@link ProtocolError} `transition_refused` unless released.
 */
export function applyAdoption(state: CampaignState): CampaignState {
  return applyEvent(state, 'adoption');
}

/**
 * The latest disclosure date has come.
 *
 * @param now - Unix ms.
 * @throws {@link ProtocolError} `transition_refused` before that date, and for a campaign that
 *   never was committed or is disclosed already.
 */
export function applyLatestDate(state: CampaignState, now: number): CampaignState {
  refuseUnless(now >= parseTime(state.latestDisclosure), 'the latest date has not come');
  return applyEvent(state, 'latest-date');
}

function applyEvent(state: CampaignState, event: CampaignEvent): CampaignState {
  return { ...state, status: nextStatus(state.status, event) };
}

function checkSame(
  directive: Directive,
  expected: Pick<Directive, Context>,
  ...fields: readonly Context[]
): void {
  for (const field of fields) {
    if (directive[field] !== expected[field]) {
      throw new ProtocolError('statement_invalid', `the directive is for another ${field}`);
    }
  }
}

function checkTimes(state: CampaignState, directive: Directive, now: number): void {
  refuseUnless(now < parseTime(directive.expiresAt), 'it has expired');
  refuseUnless(parseTime(directive.issuedAt) <= now + MAX_CLOCK_SKEW_MS, 'it is from the future');
  if (directive.action === 'arm' || directive.action === 'reschedule') {
    const releaseTime = directive.releaseTime ?? state.releaseTime;
    const isLater = parseTime(releaseTime) > parseTime(state.releaseTime);
    refuseUnless(
      directive.action === 'arm' || !state.timelocked || isLater,
      'its shares are locked until T0, which can only move later',
    );
    checkReleaseTime(releaseTime, state.latestDisclosure, now);
  }
}

/** A release time that has passed would release at once, before anyone could prefetch. */
function checkReleaseTime(releaseTime: string, latestDisclosure: string, now: number): void {
  refuseUnless(parseTime(releaseTime) > now, 'the release time has passed');
  refuseUnless(
    parseTime(releaseTime) < parseTime(latestDisclosure),
    'the release time is not before the latest disclosure date',
  );
}

function revise(
  next: CampaignState,
  state: CampaignState,
  directive: Directive,
  plans: ReadonlyMap<string, Plan>,
  now: number,
): CampaignState {
  const before = plans.get(state.plan);
  const after = plans.get(directive.plan);
  if (before === undefined || after === undefined) {
    throw new ProtocolError('plan_invalid', 'the plan before or after the revision is missing');
  }
  checkRevision(before, after, directive.action, state.status);
  checkSame(directive, { ...directive, revision: after.revision }, 'revision');
  const { revision, latestDisclosure } = after;
  refuseUnless(now < parseTime(state.latestDisclosure), 'the latest disclosure date has come');
  refuseUnless(now < parseTime(latestDisclosure), 'the new latest disclosure date has passed');
  // A rescheduled T0 outlives a new wording of the disclosure, but not a new patch.
  const samePatch = directive.action === 'commit' && isArmed(state);
  const releaseTime = samePatch ? state.releaseTime : after.releaseTime;
  refuseUnless(
    parseTime(releaseTime) < parseTime(latestDisclosure),
    'the release time is not before the latest disclosure date',
  );
  const rearmed = directive.action === 'supersede' && next.status === 'armed';
  refuseUnless(!rearmed || parseTime(releaseTime) > now, 'the release time has passed');
  const released = samePatch ? state.released : next.status === 'released';
  const moved = { plan: directive.plan, revision, latestDisclosure, releaseTime, released };
  return { ...next, ...moved, ...locksOf(after) };
}

const isArmed = ({ status }: CampaignState): boolean => status === 'armed' || status === 'released';

/** @throws {@link ProtocolError} `transition_refused` */
export function refuseUnless(holds: boolean, otherwise: string): void {
  if (!holds) throw new ProtocolError('transition_refused', `directive refused: ${otherwise}`);
}
