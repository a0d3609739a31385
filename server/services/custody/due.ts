import { verifyDirectives } from '../../../protocol/campaign/chain.ts';
import { isDue } from '../../../protocol/campaign/due.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { serverHoldersOf } from '../../../protocol/plan/server-custody.ts';
import { opensAt } from '../../../protocol/embargo/custody.ts';
import { isServerHolder } from '../../../protocol/trust/server-holder.ts';
import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { parseInstant } from '../../../protocol/encoding/time.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { parseEnvelope } from '../../../protocol/signature/dsse.ts';
import type { VerifyEd25519 } from '../../../protocol/signature/ed25519.ts';
import { verifyPublicationUnder } from '../../../protocol/statement/share.ts';
import { rootsSince } from '../../../protocol/trust/chain.ts';
import type { TrustRoot } from '../../../protocol/trust/root.ts';
import type { Campaign } from '../campaign/campaign.ts';
import { planOf } from '../campaign/campaign.ts';
import type { DirectiveStore } from '../campaign/directive-store.ts';
import type { PublicationStore } from '../publications/publications.ts';
import type { Trust } from '../trust/trust.ts';

/** From what the server finds for itself that a share is due. */
export interface Evidence {
  readonly directives: Pick<DirectiveStore, 'listDirectives'>;
  readonly published: PublicationStore;
  readonly trust: Trust;
  readonly verify: VerifyEd25519;
  readonly now: () => number;
}

/** Whether, as the database has it, a share is due and everybody has spoken whom it takes besides. */
export function isTurn(campaign: Campaign, now: number): boolean {
  const plan = planOf(campaign);
  const spoken = campaign.releaseShares.filter((holder) => !isServerHolder(holder));
  return (
    spoken.length >= othersOf(plan) &&
    isDue('release', campaign.state, now) &&
    now >= opensAt(plan, 'release')
  );
}

/**
 * Require the same of officers' signatures, from the roots on. What the database says of a campaign is
 * not enough to open anything.
 *
 * @throws {@link ProtocolError} `transition_refused`, or as `verifyDirectives`.
 */
export async function requireTurn(evidence: Evidence, campaign: Campaign): Promise<void> {
  const { directives, trust, verify, now } = evidence;
  const completed = await directives.listDirectives(campaign.state.campaign);
  const plans = [...campaign.plans.values()].sort((a, b) => a.plan.revision - b.plan.revision);
  const [first, ...later] = plans;
  if (first === undefined) throw new Error('a campaign has a plan');
  const roots = new Map([...trust.roots].map(([version, { root }]) => [version, root]));
  const { state, revisions } = verifyDirectives(
    first.plan,
    first.bytes,
    completed.map(({ envelope }) => parseEnvelope(utf8Encode(envelope))),
    roots,
    verify,
    {
      at: completed.map(({ completedAt }) => parseInstant(completedAt)),
      laterPlans: later.map(({ bytes }) => bytes),
    },
  );
  const inForce = revisions.at(-1);
  if (inForce?.digest !== campaign.state.plan || !isDue('release', state, now())) {
    throw new ProtocolError('transition_refused', 'no directive says that a share is due');
  }
  const officers = await whoHasSpoken(
    evidence,
    inForce.plan,
    rootsSince(roots, inForce.root.version),
  );
  if (officers.size < othersOf(inForce.plan)) {
    throw new ProtocolError('transition_refused', 'too few officers have published their shares');
  }
}

/** How many officers it takes besides the server. */
function othersOf(plan: Plan): number {
  return plan.shareThreshold - serverHoldersOf(plan).length;
}

/** The officers who signed publications of their release shares of a plan; each counts once. */
async function whoHasSpoken(
  { published, verify }: Evidence,
  plan: Plan,
  roots: readonly TrustRoot[],
): Promise<ReadonlySet<string>> {
  const officers = new Set<string>();
  for (const { envelope } of await published.listPublications(plan.campaign)) {
    try {
      const signed = parseEnvelope(utf8Encode(envelope));
      const it = verifyPublicationUnder(signed, verify, roots, plan);
      const isCounted = it.kind === 'share' && it.key === 'release' && !isServerHolder(it.officer);
      if (isCounted) officers.add(it.officer);
    } catch (error) {
      // Of an earlier revision, or not what an officer signed: it counts for nothing.
      if (!(error instanceof ProtocolError)) throw error;
    }
  }
  return officers;
}
