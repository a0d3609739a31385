import { ProtocolError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import type { Envelope } from '../signature/dsse.ts';
import type { VerifyEd25519 } from '../signature/ed25519.ts';
import { verifyReview } from '../statement/review.ts';
import type { Review } from '../statement/review.ts';
import type { TrustRoot } from '../trust/root.ts';

/** What firms have said of the release of one plan. */
export interface ReviewStanding {
  /** How many reviews the plan asks for, by the firms in the three lists. */
  readonly required: number;
  /** Firms that the plan names and that found it sound, sorted. */
  readonly sound: readonly string[];
  /** Firms that found it unsound, sorted; also those that the plan does not name. */
  readonly unsound: readonly string[];
  /** Firms that the plan names and that have said nothing, sorted. */
  readonly missing: readonly string[];
}

/** A plan and the SHA-256 of its bytes. */
export interface DigestedPlan {
  readonly plan: Plan;
  readonly digest: string;
}

/**
 * Count the reviews of exactly this plan by the reviewers of a root: a firm once, however often it
 * spoke. A firm that found it unsound, before or after, does not count as finding it sound.
 *
 * @param envelopes - From anybody, in any order. What does not verify, or is about another plan,
 *   counts for nothing and hides nothing.
 */
export function judgeReviews(
  envelopes: Iterable<Envelope>,
  { plan, digest }: DigestedPlan,
  root: TrustRoot,
  verify: VerifyEd25519,
): ReviewStanding {
  const saying = { sound: new Set<string>(), unsound: new Set<string>() };
  for (const envelope of envelopes) {
    const review = findReview(envelope, root, verify);
    if (review !== undefined && isReviewOf(review, plan, digest)) {
      saying[review.verdict].add(review.firm);
    }
  }
  const { required, by } = plan.policy.reviews;
  const { unsound } = saying;
  return {
    required,
    sound: by.filter((firm) => saying.sound.has(firm) && !unsound.has(firm)),
    unsound: [...unsound].sort(),
    missing: by.filter((firm) => !saying.sound.has(firm) && !unsound.has(firm)),
  };
}

/**
 * Require the reviews that a plan asks for. The rule of `arm` and `supersede`.
 *
 * @throws {@link ProtocolError} `threshold_unmet`, naming the firms.
 * @see docs/spec/campaign.md, "Reviews"
 */
export function requireReviews(standing: ReviewStanding): void {
  const { required, sound, unsound, missing } = standing;
  if (sound.length >= required) return;
  const against = unsound.length === 0 ? '' : `; found unsound by ${unsound.join(', ')}`;
  const silent = missing.length === 0 ? '' : `; missing: ${missing.join(', ')}`;
  throw new ProtocolError(
    'threshold_unmet',
    `the release has ${sound.length} of the ${required} reviews that the plan asks for${against}${silent}`,
  );
}

/** Tell whether a review is about this very plan and the release it lists. */
export function isReviewOf(review: Review, plan: Plan, digest: string): boolean {
  return (
    review.campaign === plan.campaign &&
    review.network === plan.network &&
    review.revision === plan.revision &&
    review.plan === digest &&
    plan.documents.some(({ name, sha256 }) => name === 'release.txt' && sha256 === review.release)
  );
}

function findReview(
  envelope: Envelope,
  root: TrustRoot,
  verify: VerifyEd25519,
): Review | undefined {
  try {
    return verifyReview(envelope, verify, root);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
