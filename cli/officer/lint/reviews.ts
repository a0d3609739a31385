import { ProtocolError } from '../../../protocol/errors.ts';
import { checkReviewers, checkReviewPolicy } from '../../../protocol/plan/review-policy.ts';
import type { TrustRoot } from '../../../protocol/trust/root.ts';
import { reviewPolicyOf, type CampaignFile } from '../campaign/campaign-file.ts';
import { error, type Finding } from '../campaign/finding.ts';

/** What is wrong with the reviews that a campaign asks for, by itself and before a root of trust. */
export function lintReviews(
  campaign: CampaignFile,
  root: TrustRoot | undefined,
): readonly Finding[] {
  const policy = reviewPolicyOf(campaign);
  try {
    checkReviewPolicy(policy);
    if (root !== undefined) checkReviewers(policy, root);
    return [];
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    return [
      error(
        'campaign.json.reviews',
        cause.message,
        'name reviewers that the root has, at least as many as it takes',
      ),
    ];
  }
}
