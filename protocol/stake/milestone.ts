import { z } from 'zod';
import { personId } from '../encoding/shape.ts';

/** A share of the network that means something when it has attested. Data, not code. */
export interface Milestone {
  readonly name: string;
  /** Numerator and denominator of the share: `0 < num <= den`. */
  readonly num: number;
  readonly den: number;
  /** More than the share, rather than at least it. */
  readonly strict: boolean;
  /** Sum of stake, or number of identities with stake. */
  readonly weight: 'stake' | 'heads';
  /** `gate` makes the campaign adopted; `record` is only told. */
  readonly action: 'record' | 'gate';
}

/** A milestone as it appears in a plan. */
export const milestoneShape: z.ZodType<Milestone> = z
  .strictObject({
    name: personId,
    num: z.int().min(1).max(1_000_000),
    den: z.int().min(1).max(1_000_000),
    strict: z.boolean(),
    weight: z.enum(['stake', 'heads']),
    action: z.enum(['record', 'gate']),
  })
  .refine(({ num, den, strict }) => (strict ? num < den : num <= den));

/** A third can halt a network, more than two thirds carry it, nine tenths are as good as all. */
export const DEFAULT_MILESTONES: readonly Milestone[] = [
  { name: 'safety', num: 1, den: 3, strict: false, weight: 'stake', action: 'record' },
  { name: 'supermajority', num: 2, den: 3, strict: true, weight: 'stake', action: 'gate' },
  { name: 'complete', num: 9, den: 10, strict: false, weight: 'stake', action: 'record' },
];

/**
 * Tell whether `part` of `whole` reaches a share.
 *
 * Cross-multiplies instead of dividing, so no rounding can move the threshold.
 *
 * @param part - Base units of stake, or heads; from 0 to `whole`.
 * @returns `false` for a whole of 0, whatever the share.
 * @see docs/spec/stake.md, "Milestones"
 */
export function isReached(
  { num, den, strict }: Pick<Milestone, 'num' | 'den' | 'strict'>,
  part: bigint,
  whole: bigint,
): boolean {
  if (whole <= 0n) return false;
  const reached = part * BigInt(den);
  const needed = whole * BigInt(num);
  return strict ? reached > needed : reached >= needed;
}
