import { equalBytes } from '../encoding/bytes.ts';
import { parseTime } from '../encoding/time.ts';
import { ProtocolError } from '../errors.ts';
import type { Envelope } from '../signature/dsse.ts';
import type { VerifyEd25519 } from '../signature/ed25519.ts';
import { verifyDirective } from '../statement/directive.ts';
import type { Directive, VerifiedDirective } from '../statement/directive.ts';
import type { TrustRoot } from '../trust/root.ts';
import { checkPlan, encodePlan, parsePlan, planDigest } from './plan.ts';
import type { Plan } from './plan.ts';
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
  return {
    ...next,
    releaseTime: directive.releaseTime ?? state.releaseTime,
    released: state.released || (action === 'leaked' && state.status === 'armed'),
  };
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
  return { ...next, plan: directive.plan, revision, latestDisclosure, releaseTime, released };
}

const isArmed = ({ status }: CampaignState): boolean => status === 'armed' || status === 'released';

function refuseUnless(holds: boolean, otherwise: string): void {
  if (!holds) throw new ProtocolError('transition_refused', `directive refused: ${otherwise}`);
}

/** What a verifier may know beyond the files. */
export interface ChainKnowledge {
  /**
   * When each envelope was completed, Unix ms, in the order of `envelopes`. Without it each is taken
   * as completed when it was issued, so that no expiry can be noticed.
   */
  readonly at?: readonly number[];
  /** The bytes of later revisions of the plan, in any order. */
  readonly laterPlans?: readonly Uint8Array[];
  /**
   * How many directives the caller had verified on an earlier day. Any further one has to be signed
   * under the newest root, so that officers who were removed cannot add to the chain.
   */
  readonly known?: number;
}

/**
 * Verify a campaign's whole chain of directives from files alone.
 *
 * Each directive's root, signatures, people, number, predecessor, state, plan and time are checked.
 * A directive that says `from: released` or `from: adopted` implies that move; whether the shares
 * and the tally bear it out is for the caller to check.
 *
 * @param plan - The first revision, and `planBytes` its bytes.
 * @param envelopes - All completed directives, in any order.
 * @returns The directives by number, and the state they lead to.
 * @throws {@link ProtocolError} as {@link verifyDirective}, {@link applyDirective} and
 *   {@link checkPlan} do; `transition_refused` also when two valid directives have one number, which
 *   is an alarm: officers have signed, or were led to sign, two histories.
 * @see docs/spec/campaign.md, "Verifying"
 */
export function verifyDirectives(
  plan: Plan,
  planBytes: Uint8Array,
  envelopes: readonly Envelope[],
  roots: ReadonlyMap<number, TrustRoot>,
  verify: VerifyEd25519,
  { at, laterPlans = [], known = envelopes.length }: ChainKnowledge = {},
): { readonly directives: readonly VerifiedDirective[]; readonly state: CampaignState } {
  if (!equalBytes(encodePlan(plan), planBytes)) {
    throw new ProtocolError('plan_invalid', 'the plan is not the one in the file');
  }
  if (at !== undefined && at.length !== envelopes.length) {
    throw new RangeError('one completion time for each envelope');
  }
  const plans = new Map([planBytes, ...laterPlans].map((it) => [planDigest(it), parsePlan(it)]));
  const chain = envelopes
    .map((envelope, i) => ({ directive: verifyDirective(envelope, roots, verify), at: at?.[i] }))
    .sort((a, b) => a.directive.sequence - b.directive.sequence);
  refuseForks(chain.map(({ directive }) => directive));

  const newestRoot = Math.max(...roots.keys());
  let state = openCampaign(plan, planDigest(planBytes));
  for (const { directive, at = parseTime(directive.issuedAt) } of chain) {
    const { digest, sequence, rootVersion } = directive;
    refuseUnless(sequence <= known || rootVersion === newestRoot, 'it needs the newest root');
    const next = applyDirective(reach(state, directive.from, at), directive, digest, at, plans);
    if (sequence === 1 || next.plan !== state.plan) {
      const root = roots.get(rootVersion);
      const current = plans.get(next.plan);
      if (root === undefined || current === undefined) throw new Error('both were found before');
      checkPlan(current, root);
    }
    state = next;
  }
  return { directives: chain.map(({ directive }) => directive), state };
}

/** Make the moves that need no directive, as far as the next directive says they were made. */
function reach(state: CampaignState, status: CampaignStatus, at: number): CampaignState {
  let reached = state;
  if (reached.status === 'armed' && (status === 'released' || status === 'adopted')) {
    const due = parseTime(reached.releaseTime) <= at + MAX_CLOCK_SKEW_MS;
    refuseUnless(due, 'the release time has not come');
    reached = applyRelease(reached);
  }
  if (reached.status === 'released' && status === 'adopted') reached = applyAdoption(reached);
  return reached;
}

/** @param directives - By sequence. */
function refuseForks(directives: readonly VerifiedDirective[]): void {
  for (const [i, { sequence, digest }] of directives.entries()) {
    const before = directives[i - 1];
    if (before?.sequence !== sequence) continue;
    throw new ProtocolError(
      'transition_refused',
      before.digest === digest
        ? `directive number ${sequence} is listed twice`
        : `alarm: two valid directives with one number exist, ${sequence}`,
    );
  }
}
