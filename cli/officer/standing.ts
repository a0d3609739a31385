import { verifyEd25519 } from '../../platform/ed25519.ts';
import {
  applyAdoption,
  applyDirective,
  applyLatestDate,
  applyRelease,
  type CampaignState,
} from '../../protocol/campaign/campaign.ts';
import type { Revision } from '../../protocol/campaign/chain.ts';
import {
  directiveDigest,
  parseDirective,
  type Directive,
  type VerifiedDirective,
} from '../../protocol/campaign/directive.ts';
import { fromBase64 } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { parsePlan, planDigest, type Plan } from '../../protocol/plan/plan.ts';
import { checkPlan } from '../../protocol/plan/rules.ts';
import { thresholdOf } from '../../protocol/plan/splits.ts';
import { verifyEnvelope, type Envelope } from '../../protocol/signature/dsse.ts';
import { verifyPublicationUnder, type SharePublication } from '../../protocol/statement/share.ts';
import { rootsSince } from '../../protocol/trust/chain.ts';
import { signingKeys, type TrustRoot } from '../../protocol/trust/root.ts';
import { keptPlans, saveChain } from '../client/chain.ts';
import type { CampaignView, DirectivesView } from '../client/client.ts';
import { verifyCompleted } from '../client/directives.ts';
import { readEnvelope } from '../client/envelope.ts';
import { fetchPlan, fetchPlans } from '../client/plans.ts';
import { warnOfServerCustody } from '../client/server-custody.ts';
import { ProblemError } from '../errors.ts';
import { problemOf } from './problem.ts';
import type { OfficerSession } from './session.ts';

/** Where a campaign stands, as far as this machine could verify it. */
export interface Standing {
  readonly view: CampaignView;
  /** In force; before the first directive, the one that was uploaded. */
  readonly plan: Plan;
  readonly planBytes: Uint8Array;
  readonly state: CampaignState;
  /** The root under which the plan was put in force; before that, the newest. */
  readonly planRoot: TrustRoot;
  /** That one and every later one: who may publish shares of the plan. */
  readonly roots: readonly TrustRoot[];
  /** Completed ones, by number. */
  readonly directives: readonly VerifiedDirective[];
  /** Of `directives`, as officers signed them. */
  readonly envelopes: readonly Envelope[];
  /** The plans that were put in force, the last of which is `plan`. */
  readonly revisions: readonly Revision[];
  readonly pending: Pending | undefined;
  /** Age files to the release recipient, from those who signed `commit` or `supersede` last. */
  readonly attachments: readonly { readonly officer: string; readonly sealed: Uint8Array }[];
}

/** A plan that is to follow the one in force. */
export type RevisedPlan = Pick<Standing, 'plan' | 'planBytes'>;

/** A directive that still lacks signatures; the ones it has are verified. */
export interface Pending {
  readonly envelope: Envelope;
  readonly directive: Directive;
  readonly digest: string;
  readonly people: readonly string[];
  readonly targets: Uint8Array | undefined;
  /** The plan as it is to stand, where it changes with this move. */
  readonly revised: RevisedPlan | undefined;
  /** Why it cannot complete as things stand, such as a T0 that has passed. */
  readonly problem: string | undefined;
}

/**
 * Fetch a campaign and verify all that can be: plan against root, every directive, the signatures of
 * what is pending. What this home has seen of the campaign may not go backwards.
 *
 * @throws {@link ProtocolError} as `verifyDirectives`; `transition_refused` when the server claims
 *   another state than directives, shares and dates lead to. That a campaign is adopted is taken on
 *   the server's word here: `local-tally.ts` counts.
 */
export async function loadStanding(session: OfficerSession, id: string): Promise<Standing> {
  const { client, home, trust } = session;
  const [view, answer] = [await client.campaign(id), await client.directives(id)];
  const { completed } = answer;
  const plans = await fetchPlans(client, id, completed, await keptPlans(home.campaign(id)));
  const { directives, state, revisions } = await verifyCompleted(home, trust, plans, completed, {
    own: session.keys.signer.publicKey,
    // An agent goes on from these when there is no server.
    store: () =>
      completed.length === 0
        ? Promise.resolve()
        : saveChain(home.campaign(id), { plans, completed }),
  });
  const planBytes = revisions.at(-1)?.bytes ?? plans[0];
  const plan = parsePlan(planBytes);
  if (directives.length === 0) checkPlan(plan, trust.root);
  warnOfServerCustody(session.context.out, plan);
  const planRoot = revisions.at(-1)?.root ?? trust.root;
  const roots = rootsSince(trust.roots, planRoot.version);
  const reached = await followEvents(session, { plan, roots }, state, view);
  return {
    view,
    plan,
    planBytes,
    state: reached,
    planRoot,
    roots,
    directives,
    envelopes: completed.map(({ envelope }) => readEnvelope(envelope)),
    revisions,
    pending: await readPending(session, reached, plan, answer.pending),
    attachments: answer.attachments.map(({ officer, sealed }) => ({
      officer,
      sealed: fromBase64(sealed),
    })),
  };
}

/** Make the moves that need no directive, as far as the server claims them and we can see why. */
async function followEvents(
  session: OfficerSession,
  shares: Pick<Standing, 'plan' | 'roots'>,
  state: CampaignState,
  { campaign, status }: CampaignView,
): Promise<CampaignState> {
  let reached = state;
  if (reached.status === 'armed' && (status === 'released' || status === 'adopted')) {
    await requireShares(session, shares);
    reached = applyRelease(reached);
  }
  if (reached.status === 'released' && status === 'adopted') reached = applyAdoption(reached);
  if (reached.status !== 'disclosed' && status === 'disclosed') {
    reached = applyLatestDate(reached, session.context.now());
  }
  if (reached.status === status) return reached;
  throw new ProtocolError(
    'transition_refused',
    `the server says that ${campaign} is ${status}, but its directives lead to ${reached.status}`,
  );
}

async function requireShares(
  { client }: OfficerSession,
  { plan, roots }: Pick<Standing, 'plan' | 'roots'>,
): Promise<void> {
  const officers = { release: new Set<string>(), 'break-glass': new Set<string>() };
  for (const json of await client.shares(plan.campaign)) {
    const share = findShare(readEnvelope(json), roots, plan);
    if (share === undefined || share.key === 'closing') continue;
    // Enough of either split make the release key.
    if (officers[share.key].add(share.officer).size >= thresholdOf(plan, share.key)) return;
  }
  throw new ProtocolError(
    'transition_refused',
    `the server says released, but ${officers.release.size} of ${plan.shareThreshold} shares are out`,
  );
}

/** A share that is out; none when it does not verify, so that one cannot hide others. */
function findShare(
  envelope: Envelope,
  roots: readonly TrustRoot[],
  plan: Plan,
): SharePublication | undefined {
  try {
    const publication = verifyPublicationUnder(envelope, verifyEd25519, roots, plan);
    return publication.kind === 'share' ? publication : undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/** What is pending, its signatures verified. Whether it can still complete is told, not thrown. */
async function readPending(
  session: OfficerSession,
  state: CampaignState,
  plan: Plan,
  pending: DirectivesView['pending'],
): Promise<Pending | undefined> {
  if (pending === null) return undefined;
  const { context, trust } = session;
  const envelope = readEnvelope(pending.envelope);
  const { people } = verifyEnvelope(envelope, verifyEd25519, signingKeys(trust.root), 1);
  const directive = parseDirective(envelope.payload);
  const digest = directiveDigest(envelope.payload);
  const targets = pending.targets === null ? undefined : fromBase64(pending.targets);
  const base = { envelope, directive, digest, people, targets };
  let revised: RevisedPlan | undefined;
  try {
    if (directive.plan !== state.plan) revised = await findRevised(session, state, directive);
    if (revised !== undefined) warnOfServerCustody(context.out, revised.plan);
  } catch (error) {
    // What is pending must not hold up what was decided.
    if (!(error instanceof ProtocolError) && !(error instanceof ProblemError)) throw error;
    return { ...base, revised, problem: error.message };
  }
  const problem = problemOf(() => {
    if (directive.rootVersion !== trust.root.version) {
      throw new ProtocolError('trust_invalid', 'it names another root than the newest');
    }
    applyDirective(state, directive, digest, context.now(), plansFor(state, plan, revised));
    if (revised !== undefined) checkPlan(revised.plan, trust.root);
  });
  return { ...base, revised, problem };
}

async function findRevised(
  { client }: OfficerSession,
  { campaign }: CampaignState,
  directive: Directive,
): Promise<RevisedPlan> {
  const planBytes = await fetchPlan(client, campaign, directive.plan);
  return { plan: parsePlan(planBytes), planBytes };
}

/** The plan in force and the one to follow, by digest, as `applyDirective` takes them. */
export function plansFor(
  state: CampaignState,
  plan: Plan,
  revised: RevisedPlan | undefined,
): ReadonlyMap<string, Plan> {
  const plans = new Map([[state.plan, plan]]);
  return revised === undefined ? plans : plans.set(planDigest(revised.planBytes), revised.plan);
}
