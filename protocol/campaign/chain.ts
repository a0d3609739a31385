import { equalBytes } from '../encoding/bytes.ts';
import { parseTime } from '../encoding/time.ts';
import { ProtocolError } from '../errors.ts';
import type { Envelope } from '../signature/dsse.ts';
import type { Ed25519PublicKey, VerifyEd25519 } from '../signature/ed25519.ts';
import { verifyDirective } from './directive.ts';
import type { VerifiedDirective } from './directive.ts';
import type { TrustRoot } from '../trust/root.ts';
import {
  applyAdoption,
  applyDirective,
  applyRelease,
  MAX_CLOCK_SKEW_MS,
  openCampaign,
  refuseUnless,
} from './campaign.ts';
import type { CampaignState } from './campaign.ts';
import { encodePlan, parsePlan, planDigest } from '../plan/plan.ts';
import { checkPlan } from '../plan/rules.ts';
import type { Plan } from '../plan/plan.ts';
import { checkDeciders } from '../plan/deciders.ts';
import type { CampaignStatus } from './transitions.ts';

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
   * under the newest root, or be followed by one that is, so that officers who were removed cannot
   * add to the chain.
   */
  readonly known?: number;
  /**
   * The caller's own signing key. What it has signed, the caller had verified, and with it everything
   * before.
   */
  readonly own?: Ed25519PublicKey;
}

/** A plan that officers put in force. */
export interface Revision {
  readonly plan: Plan;
  readonly bytes: Uint8Array;
  /** SHA-256 of `bytes`. */
  readonly digest: string;
  /** The root under which they did, and with which directive. */
  readonly root: TrustRoot;
  readonly sequence: number;
}

/** A campaign's decisions, verified. */
export interface VerifiedChain {
  /** By number. */
  readonly directives: readonly VerifiedDirective[];
  /** How it stood right after each of them. */
  readonly states: readonly CampaignState[];
  /** After the last one; how it opened before the first. */
  readonly state: CampaignState;
  /** By revision: the last one is in force. Empty before the first directive. */
  readonly revisions: readonly Revision[];
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
 * @throws {@link ProtocolError} as {@link verifyDirective}, {@link applyDirective} and
 *   {@link checkPlan} do; `directives_forked` when two valid directives have one number, which is an
 *   alarm: officers have signed, or were led to sign, two histories.
 * @see docs/spec/campaign.md, "Verifying"
 */
export function verifyDirectives(
  plan: Plan,
  planBytes: Uint8Array,
  envelopes: readonly Envelope[],
  roots: ReadonlyMap<number, TrustRoot>,
  verify: VerifyEd25519,
  { at, laterPlans = [], known = envelopes.length, own }: ChainKnowledge = {},
): VerifiedChain {
  if (!equalBytes(encodePlan(plan), planBytes)) {
    throw new ProtocolError('plan_invalid', 'the plan is not the one in the file');
  }
  if (at !== undefined && at.length !== envelopes.length) {
    throw new RangeError('one completion time for each envelope');
  }
  const files = new Map([planBytes, ...laterPlans].map((it) => [planDigest(it), it]));
  const plans = new Map([...files].map(([digest, bytes]) => [digest, parsePlan(bytes)]));
  const chain = envelopes
    .map((envelope, i) => ({
      directive: verifyDirective(envelope, roots, verify),
      at: at?.[i],
      isOwn: envelope.signatures.some(({ keyid }) => keyid === own),
    }))
    .sort((a, b) => a.directive.sequence - b.directive.sequence);
  refuseForks(chain.map(({ directive }) => directive));

  const newestRoot = Math.max(...roots.keys());
  // Each directive names the one before, so whoever signs one vouches for all that lead to it.
  const vouchedFor = chain
    .filter(({ directive, isOwn }) => isOwn || directive.rootVersion === newestRoot)
    .reduce((highest, { directive }) => Math.max(highest, directive.sequence), known);
  const revisions: Revision[] = [];
  const states: CampaignState[] = [];
  let state = openCampaign(plan, planDigest(planBytes));
  for (const { directive, at = parseTime(directive.issuedAt) } of chain) {
    const { digest, sequence, rootVersion } = directive;
    refuseUnless(
      sequence <= vouchedFor,
      'it was decided under an older root, and is not confirmed under the newest',
    );
    const next = applyDirective(reach(state, directive.from, at), directive, digest, at, plans);
    if (sequence === 1 || next.plan !== state.plan) {
      const root = roots.get(rootVersion);
      const current = plans.get(next.plan);
      const bytes = files.get(next.plan);
      if (!root || !current || !bytes) throw new Error('all were found before');
      checkPlan(current, root);
      revisions.push({ plan: current, bytes, digest: next.plan, root, sequence });
    }
    // Others may decide by now than when the plan was made.
    const inForce = plans.get(next.plan);
    const deciders = roots.get(rootVersion);
    if (directive.action === 'arm' && inForce && deciders) checkDeciders(inForce, deciders);
    state = next;
    states.push(state);
  }
  return { directives: chain.map(({ directive }) => directive), states, state, revisions };
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
    if (before.digest === digest) {
      const text = `directive number ${sequence} is listed twice`;
      throw new ProtocolError('transition_refused', text);
    }
    const text = `alarm: two valid directives with one number exist, ${sequence}`;
    throw new ProtocolError('directives_forked', text);
  }
}
