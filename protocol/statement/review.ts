import { z } from 'zod';
import { campaignId, hex64, networkId, personId, safeCount, time } from '../encoding/shape.ts';
import { ProtocolError } from '../errors.ts';
import { verifyEnvelope } from '../signature/dsse.ts';
import type { Envelope } from '../signature/dsse.ts';
import type { VerifyEd25519 } from '../signature/ed25519.ts';
import type { TrustRoot } from '../trust/root.ts';
import { encodeStatement, parseStatementAbout } from './statement.ts';

export const VERDICTS = ['sound', 'unsound'] as const;

/** `sound`: release it as it is. `unsound`: do not. */
export type Verdict = (typeof VERDICTS)[number];

/** What a firm found when it read a release, under one plan. */
export interface Review {
  /** SHA-256 of `release.txt`, which the plan lists. */
  readonly release: string;
  readonly campaign: string;
  readonly network: string;
  readonly revision: number;
  /** SHA-256 of `plan.txt`: another plan is reviewed anew. */
  readonly plan: string;
  readonly verdict: Verdict;
  /** Id of the reviewer in the root of trust. */
  readonly firm: string;
  /** RFC 3339 UTC, by the reviewer's clock. Decides nothing. */
  readonly issuedAt: string;
}

const SUBJECT = 'release.txt';

const reviewPredicate = z.strictObject({
  campaign: campaignId,
  network: networkId,
  revision: safeCount.min(1),
  plan: hex64,
  verdict: z.enum(VERDICTS),
  firm: personId,
  issuedAt: time,
});

/**
 * Write a review as the payload that the firm signs.
 *
 * @throws {@link ProtocolError} as {@link parseReview} does.
 */
export function encodeReview({ release, ...predicate }: Review): Uint8Array {
  const payload = encodeStatement('review', [{ name: SUBJECT, sha256: release }], predicate);
  parseReview(payload);
  return payload;
}

/** @throws {@link ProtocolError} `statement_invalid`, also for a statement of another kind. */
export function parseReview(payload: Uint8Array): Review {
  const { sha256, predicate } = parseStatementAbout(payload, 'review', SUBJECT, reviewPredicate);
  return { release: sha256, ...predicate };
}

/**
 * Verify that a firm which a root lists as a reviewer made this review, alone. Whether it counts for
 * a plan is for `judgeReviews` to say.
 *
 * @throws {@link ProtocolError} `statement_invalid` for a firm that the root does not list or another
 *   network; `signature_invalid` unless signed by that firm's key and no other.
 */
export function verifyReview(envelope: Envelope, verify: VerifyEd25519, root: TrustRoot): Review {
  const review = parseReview(envelope.payload);
  const reviewer = root.reviewers.get(review.firm);
  if (reviewer === undefined) {
    throw new ProtocolError('statement_invalid', `${review.firm} is no reviewer`);
  }
  if (review.network !== root.network) {
    throw new ProtocolError('statement_invalid', 'the review is for another network');
  }
  verifyEnvelope(envelope, verify, new Map([[reviewer.key, reviewer.id]]), 1);
  return review;
}
