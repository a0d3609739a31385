import { z } from 'zod';
import { hex64, instant, safeCount, stakeText } from '../encoding/shape.ts';
import { publicKeyHex } from '../signature/key-shape.ts';

export const milestoneView = z.strictObject({
  name: z.string().max(32),
  num: z.int().positive(),
  den: z.int().positive(),
  strict: z.boolean(),
  action: z.enum(['record', 'gate']),
  reachedAt: instant.nullable(),
});
export const tallyResponse = z.strictObject({
  revision: safeCount,
  snapshot: hex64,
  /** Whole snapshot, silent and delinquent stake included. */
  totalStake: stakeText,
  /** Exact for officers and after disclosure; null for operators while the campaign runs. */
  attestedStake: stakeText.nullable(),
  /** Rounded down to a tenth of a percent. */
  attestedPercent: z.number().min(0).max(100),
  milestones: z.array(milestoneView),
  /** Per validator; null unless the caller is an officer or the campaign is disclosed. */
  validators: z
    .array(
      z.strictObject({
        identity: z.string().max(44),
        stake: stakeText,
        state: z.enum(['attested', 'reverted', 'unknown']),
        operator: publicKeyHex.nullable(),
      }),
    )
    .nullable(),
});
