import { z } from 'zod';
import { envelopeJson } from '../../protocol/api/exchange.ts';
import type { ReviewStanding } from '../../protocol/campaign/reviews.ts';
import { parseJson } from '../../protocol/encoding/json.ts';
import { parseShape } from '../../protocol/encoding/shape.ts';
import type { Chain } from '../client/chain.ts';
import type { EnvelopeJson } from '../client/client.ts';
import { countReviews, reviewedPlan } from '../client/reviews.ts';
import { VerificationError } from '../errors.ts';
import type { CampaignDirectory } from '../home/campaign-directory.ts';
import type { Output } from '../output.ts';
import type { OperatorSession } from './session.ts';

const REVIEWS = 'reviews.json';
const MAX_REVIEWS_BYTES = 4_194_304;

/**
 * Fetch what firms said of the plan that was armed, and keep it for T0; counted here from their
 * signatures. Nothing where the plan asks for no review.
 */
export async function fetchReviews(
  { client }: Pick<OperatorSession, 'client'>,
  directory: CampaignDirectory,
  chain: Chain,
): Promise<ReviewStanding | undefined> {
  const reviewed = reviewedPlan(chain.trust, chain);
  if (reviewed.plan.policy.reviews.required === 0) return undefined;
  const envelopes = await client.reviews(chain.plan.campaign);
  await directory.write(REVIEWS, `${JSON.stringify(envelopes)}\n`);
  return countReviews(envelopes, reviewed);
}

/** The same from what was kept, verified again: at T0 nobody has to be asked. */
export async function keptReviews(
  directory: CampaignDirectory,
  chain: Chain,
): Promise<ReviewStanding | undefined> {
  const reviewed = reviewedPlan(chain.trust, chain);
  if (reviewed.plan.policy.reviews.required === 0) return undefined;
  const bytes = await directory.find(REVIEWS, MAX_REVIEWS_BYTES);
  const envelopes: readonly EnvelopeJson[] =
    bytes === undefined
      ? []
      : parseShape(
          z.array(envelopeJson),
          parseJson(bytes, MAX_REVIEWS_BYTES),
          'encoding_invalid',
          REVIEWS,
        );
  return countReviews(envelopes, reviewed);
}

/** Say which firms found the release sound, which warned, and loudly when officers armed without. */
export function tellReviews(out: Output, standing: ReviewStanding | undefined): void {
  if (standing === undefined) return;
  const { required, sound, unsound, missing } = standing;
  out.line(`reviewed: ${sound.length} of ${required} needed  ${sound.join(', ')}`.trimEnd());
  for (const firm of missing) out.line(`  nothing from ${firm}`);
  if (unsound.length > 0)
    out.warn(`found UNSOUND by ${unsound.join(', ')}: ask them, and officers`);
  if (sound.length < required) out.warn(SHORT);
}

const SHORT =
  'this was armed WITHOUT the reviews that its own plan asks for, or the server hides them: ask an' +
  ' officer and the firms by a way you know before you apply it';

/**
 * Whoever arms needs the reviews, so without them something is wrong.
 *
 * @throws {@link VerificationError}
 */
export function requireReviewed(standing: ReviewStanding | undefined): void {
  if (standing === undefined || standing.sound.length >= standing.required) return;
  const count = `${standing.sound.length} of the ${standing.required}`;
  throw new VerificationError(
    `${count} reviews that the plan asks for are there`,
    'what was fetched is kept; ask an officer and the firms by a way you know, then repeat the command',
  );
}
