import { isReviewOf } from '../../../protocol/campaign/reviews.ts';
import { sha256Hex, utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { encodeEnvelope, parseEnvelope } from '../../../protocol/signature/dsse.ts';
import type { Envelope } from '../../../protocol/signature/dsse.ts';
import type { VerifyEd25519 } from '../../../protocol/signature/ed25519.ts';
import type { NoteSigner } from '../../../protocol/signature/note.ts';
import { parseReview, verifyReview } from '../../../protocol/statement/review.ts';
import type { Verdict } from '../../../protocol/statement/review.ts';
import type { Campaign } from '../campaign/campaign.ts';
import type { Registry } from '../campaign/registry.ts';
import type { Identity } from '../caller.ts';
import { refuseUnless, ServiceError } from '../error.ts';
import type { Acceptance, Receipted } from '../sealing.ts';
import { sealWithReceipt } from '../sealing.ts';
import type { Trust } from '../trust/trust.ts';

/** A review on its way into the database. */
export interface NewReview {
  readonly campaign: string;
  /** SHA-256 of the plan that it is of. */
  readonly plan: string;
  readonly firm: string;
  /** That signed it. */
  readonly key: string;
  readonly verdict: Verdict;
  /** SHA-256 of the envelope. */
  readonly digest: string;
  readonly envelope: string;
  readonly entry: Receipted;
}

export interface ReviewStore {
  /** What this key has said of this plan with this verdict. */
  findReview(
    key: Pick<NewReview, 'campaign' | 'plan' | 'key' | 'verdict'>,
  ): Promise<(Acceptance & { readonly digest: string }) | undefined>;
  addReview(review: NewReview): Promise<void>;
  /** Envelopes about all plans of a campaign, in the order in which they were accepted. */
  listReviews(campaign: string): Promise<readonly Pick<NewReview, 'plan' | 'envelope'>[]>;
}

export interface Reviews {
  submit(reviewer: Identity, id: string, envelope: Envelope): Promise<Acceptance>;
}

/**
 * Take in what firms found when they read a release. The server learns the verdict and the digest of a
 * document with a nonce, and nothing of what was read.
 *
 * Only those whom a plan of the campaign names are let near it; to anybody else it does not exist.
 */
export function reviews(deps: {
  readonly store: ReviewStore;
  readonly registry: Registry;
  readonly trust: Trust;
  readonly log: NoteSigner;
  readonly verify: VerifyEd25519;
  readonly now: () => number;
}): Reviews {
  const { store, registry, trust, now } = deps;

  const accept = async (
    reviewer: Identity,
    campaign: Campaign,
    envelope: Envelope,
  ): Promise<Acceptance> => {
    const { state, plans } = campaign;
    const { plan, verdict, firm } = parseReview(envelope.payload);
    refuseUnless(firm === reviewer.id, 'the review is by another firm');
    const content = encodeEnvelope(envelope);
    const digest = sha256Hex(content);
    const key = { campaign: state.campaign, plan, key: reviewer.publicKey, verdict };
    const known = await store.findReview(key);
    if (known?.digest === digest) return { receipt: known.receipt, opening: known.opening };
    if (known !== undefined) throw new ServiceError('conflict', `found ${verdict} by you already`);
    if (state.status === 'disclosed') {
      throw new ServiceError('conflict', 'the campaign is disclosed');
    }
    const stored = plans.get(plan);
    if (stored === undefined) throw new ServiceError('refused', 'the review is of another plan');
    const review = verifyReview(envelope, deps.verify, trust.current);
    refuseUnless(isReviewOf(review, stored.plan, plan), 'the review does not fit its plan');
    const entry = sealWithReceipt(deps.log, now(), state.campaign, 'review', content);
    await store.addReview({ ...key, firm, digest, envelope: utf8Decode(content), entry });
    return { receipt: entry.receipt, opening: entry.opening };
  };

  return {
    async submit(reviewer, id, envelope) {
      registry.getToReview(id, reviewer.id);
      return registry.exclusively(id, (current) =>
        accept(reviewer, current ?? registry.getToReview(id, reviewer.id), envelope),
      );
    },
  };
}

/** The reviews of a campaign, to be judged. */
export async function listEnvelopes(
  store: Pick<ReviewStore, 'listReviews'>,
  campaign: string,
): Promise<readonly Envelope[]> {
  const stored = await store.listReviews(campaign);
  return stored.map(({ envelope }) => parseEnvelope(utf8Encode(envelope)));
}
