import { z } from 'zod';
import { personId, safeCount } from '../encoding/shape.ts';
import { isStrictlySorted } from '../encoding/sorted.ts';
import { ProtocolError } from '../errors.ts';
import type { TrustRoot } from '../trust/root.ts';

/** Which firms have to find a release sound before it is armed: `required` of those in `by`. */
export interface ReviewPolicy {
  readonly required: number;
  /** Ids of reviewers in the root of trust, sorted; empty exactly when none is required. */
  readonly by: readonly string[];
}

export const NO_REVIEWS: ReviewPolicy = { required: 0, by: [] };

export const reviewPolicyShape = z.strictObject({
  required: safeCount.max(32),
  by: z.array(personId).max(32),
});

/** @throws {@link ProtocolError} `plan_invalid` for a policy that contradicts itself. */
export function checkReviewPolicy({ required, by }: ReviewPolicy): void {
  demand(isStrictlySorted(by), 'the reviewers are sorted and named once');
  demand(required <= by.length, 'more reviews are required than firms are named');
  demand(required > 0 === by.length > 0, 'firms are named because their reviews are required');
}

/** @throws {@link ProtocolError} `plan_invalid` for a firm that is no reviewer in the root. */
export function checkReviewers({ by }: ReviewPolicy, { reviewers }: TrustRoot): void {
  const stranger = by.find((id) => !reviewers.has(id));
  demand(stranger === undefined, `${stranger ?? ''} is no reviewer in the root of trust`);
}

function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new ProtocolError('plan_invalid', otherwise);
}
