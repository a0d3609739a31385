import {
  requireReviews,
  type DigestedPlan,
  type ReviewStanding,
} from '../../protocol/campaign/reviews.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { countReviews, reviewedPlan, type Reviewed } from '../client/reviews.ts';
import { RefusedMoveError } from '../errors.ts';
import type { OfficerSession } from './session.ts';
import type { Standing } from './standing.ts';

type Sources = Pick<OfficerSession, 'client' | 'trust' | 'context'>;

async function fetchReviews(
  { client }: Pick<OfficerSession, 'client'>,
  reviewed: Reviewed,
): Promise<ReviewStanding> {
  return countReviews(await client.reviews(reviewed.plan.campaign), reviewed);
}

/**
 * The reviews of a campaign as it stands: of the plan under which it was armed, else of the one in
 * force. Nothing where none is asked for and none can have been given.
 */
export async function loadReviews(
  session: Sources,
  standing: Standing,
): Promise<ReviewStanding | undefined> {
  const reviewed = reviewedPlan(session.trust, standing);
  if (reviewed.plan.policy.reviews.required === 0) return undefined;
  return fetchReviews(session, reviewed);
}

/**
 * Require, before a signature that brings a patch to operators, the reviews that its plan asks for. A
 * firm that warned is told of, whether or not it takes its word.
 *
 * @returns What was checked, as a sentence; none when no review is asked for.
 * @throws {@link RefusedMoveError} `threshold_unmet`, naming the firms.
 */
export async function checkReviews(
  session: Sources,
  plan: DigestedPlan,
): Promise<readonly string[]> {
  if (plan.plan.policy.reviews.required === 0) return [];
  const standing = await fetchReviews(session, { ...plan, root: session.trust.root });
  if (standing.unsound.length > 0) {
    session.context.out.warn(`found UNSOUND by ${standing.unsound.join(', ')}: talk to them first`);
  }
  try {
    requireReviews(standing);
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    const advice = `see: sealdrop inspect ${plan.plan.campaign}`;
    throw new RefusedMoveError(cause.code, cause.message, advice, { cause });
  }
  return [`the release was found sound by ${standing.sound.join(', ')}, counted here`];
}

/** The same as lines for a person. */
export function reviewLines(standing: ReviewStanding | undefined): readonly string[] {
  if (standing === undefined) return [];
  const { required, sound, unsound, missing } = standing;
  return [
    `reviews           ${sound.length} of ${required} needed${listed(': ', sound)}`,
    ...(unsound.length === 0 ? [] : [`  UNSOUND         ${unsound.join(', ')}`]),
    ...(missing.length === 0 ? [] : [`  nothing yet     ${missing.join(', ')}`]),
  ];
}

function listed(prefix: string, firms: readonly string[]): string {
  return firms.length === 0 ? '' : `${prefix}${firms.join(', ')}`;
}
