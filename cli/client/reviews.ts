import { verifyEd25519 } from '../../platform/ed25519.ts';
import type { VerifiedChain } from '../../protocol/campaign/chain.ts';
import { planDigest, type Plan } from '../../protocol/plan/plan.ts';
import {
  judgeReviews,
  type DigestedPlan,
  type ReviewStanding,
} from '../../protocol/campaign/reviews.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import type { EnvelopeJson } from './client.ts';
import { readEnvelope } from './envelope.ts';
import type { Trust } from './trust.ts';

/** What firms review, and under which root they do. */
export interface Reviewed extends DigestedPlan {
  readonly root: TrustRoot;
}

/** The plan under which a campaign was armed, else the one in force. */
export function reviewedPlan(
  { root, roots }: Pick<Trust, 'root' | 'roots'>,
  {
    directives,
    revisions,
    plan,
    planBytes,
  }: Pick<VerifiedChain, 'directives' | 'revisions'> & {
    readonly plan: Plan;
    readonly planBytes: Uint8Array;
  },
): Reviewed {
  const armed = directives.findLast(({ action }) => action === 'arm' || action === 'supersede');
  const revision = armed && revisions.find(({ digest }) => digest === armed.plan);
  const current = revision ?? { plan, digest: planDigest(planBytes) };
  return { ...current, root: (armed && roots.get(armed.rootVersion)) ?? root };
}

/** What firms have said of a plan, counted here from their signatures. */
export function countReviews(
  envelopes: readonly EnvelopeJson[],
  { plan, digest, root }: Reviewed,
): ReviewStanding {
  return judgeReviews(envelopes.map(readEnvelope), { plan, digest }, root, verifyEd25519);
}
