import type { z } from 'zod';

import type { tallyResponse } from '../../../protocol/api/adoption.ts';
import type { Ed25519PublicKey } from '../../../protocol/signature/ed25519.ts';
import { readTally } from '../../../protocol/stake/tally.ts';
import type { Campaign } from '../campaign/campaign.ts';
import { planOf } from '../campaign/campaign.ts';
import type { AdoptionState } from './adoption.ts';

export type TallyView = z.infer<typeof tallyResponse>;

/**
 * The tally as a caller may see it.
 *
 * @param isExact - For officers, and for everybody after the disclosure. Others get the stake
 *   rounded, and no word of who has not patched yet.
 */
export function tallyView(
  campaign: Campaign,
  { tally, snapshot, reachedAt }: AdoptionState,
  isExact: boolean,
): TallyView {
  const plan = planOf(campaign);
  const { attested } = tally.sums;
  return {
    revision: campaign.state.revision,
    snapshot: plan.snapshot.sha256,
    totalStake: String(tally.total.stake),
    attestedStake: isExact ? String(attested.stake) : null,
    attestedPercent: percentOf(attested.stake, tally.total.stake),
    milestones: plan.milestones.map(({ name, num, den, strict, action }) => ({
      name,
      num,
      den,
      strict,
      action,
      reachedAt: reachedAt.get(name) ?? null,
    })),
    validators: isExact
      ? [...readTally(tally).validators].map(([identity, state]) => ({
          identity,
          stake: String(snapshot.stakes.get(identity) ?? 0n),
          state,
          operator: operatorOf(tally.bindings, identity),
        }))
      : null,
  };
}

/** Rounded down to a tenth of a percent, so that it never claims what has not been reached. */
function percentOf(part: bigint, whole: bigint): number {
  return whole <= 0n ? 0 : Number((part * 1000n) / whole) / 10;
}

function operatorOf(
  bindings: ReadonlyMap<string, Ed25519PublicKey>,
  identity: string,
): Ed25519PublicKey | null {
  return bindings.get(identity) ?? null;
}
