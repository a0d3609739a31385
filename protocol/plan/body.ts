import { z } from 'zod';
import type { CommitmentEntry } from '../commitment/commitment.ts';
import {
  ageRecipient,
  hex64,
  MAX_MIRRORS,
  mirrorUrl,
  networkId,
  personId,
  safeCount,
  time,
} from '../encoding/shape.ts';
import { milestoneShape } from '../stake/milestone.ts';
import type { Milestone } from '../stake/milestone.ts';
import { headerText } from '../stake/snapshot.ts';
import { keyName } from './key-name.ts';
import type { KeyName } from './key-name.ts';
import { reviewPolicyShape } from './review-policy.ts';
import type { ReviewPolicy } from './review-policy.ts';
import type { Timelock } from './timelock.ts';

/** Everything that officers decide about a campaign. They sign the SHA-256 of its bytes. */
export interface Plan {
  readonly campaign: string;
  /** 256 random bits in hex, so that the digest of a plan tells nothing about it. */
  readonly nonce: string;
  /** From 1; every change of the plan is one more. */
  readonly revision: number;
  readonly network: string;
  readonly kind: 'embargoed';
  /** An exercise, marked as such in every message. */
  readonly exercise: boolean;
  /** SHA-256 of the `COMMITMENT` that `documents` make. */
  readonly commitment: string;
  /** Sorted by name. From revision 2 on the first is the `COMMITMENT` before this one. */
  readonly documents: readonly CommitmentEntry[];
  /** age recipients: of the bundles; of shares and key on their way; of the closing bundle. */
  readonly releaseRecipient: string;
  readonly accessRecipient: string;
  readonly closingRecipient: string;
  /** How many officers' shares make a key. */
  readonly shareThreshold: number;
  /** What every release share is locked to besides: the first round of drand from T0 on. */
  readonly timelock?: Timelock;
  /** How many shares of the second split, which is not locked, make the release key. */
  readonly breakGlassThreshold?: number;
  /** SHA-256 of every share document: one an officer and key. */
  readonly shares: readonly PlannedShare[];
  /** Ciphertext of each client variant: SHA-256 and size in bytes. */
  readonly bundles: readonly PlannedBundle[];
  /** Ciphertext of all documents, opened at the disclosure. */
  readonly closingBundle: { readonly sha256: string; readonly size: number };
  /** T0 and the latest disclosure date, RFC 3339 UTC. A later `reschedule` moves T0. */
  readonly releaseTime: string;
  readonly latestDisclosure: string;
  readonly milestones: readonly Milestone[];
  readonly policy: { readonly gate: 'attested'; readonly reviews: ReviewPolicy };
  /** The pinned stake snapshot; `point` as it says itself, such as an epoch. */
  readonly snapshot: { readonly sha256: string; readonly point: string };
  /** Where publications and ciphertext are looked for besides the server. Sorted; none when absent. */
  readonly mirrors?: readonly string[];
}

/** The ciphertext of one client variant. */
interface PlannedBundle {
  readonly variant: string;
  readonly sha256: string;
  readonly size: number;
}

/** What the plan says of one holder's share of one key. */
interface PlannedShare {
  readonly key: KeyName;
  /** An officer's id, or a name of the server (`server-holder.ts`). */
  readonly officer: string;
  readonly sha256: string;
  /** SHA-256 of the file in which the document is locked: for `release`, with a time-lock. */
  readonly locked?: string;
}

const ciphertext = { sha256: hex64, size: safeCount.min(1) };

/** The body, its members in the order in which they are written. */
export const planBody: z.ZodType<Omit<Plan, 'campaign' | 'nonce'>> = z.strictObject({
  revision: safeCount.min(1),
  network: networkId,
  kind: z.literal('embargoed'),
  exercise: z.boolean(),
  commitment: hex64,
  documents: z.array(z.strictObject({ name: z.string(), sha256: hex64 })).min(1),
  releaseRecipient: ageRecipient,
  accessRecipient: ageRecipient,
  closingRecipient: ageRecipient,
  shareThreshold: safeCount.min(1),
  timelock: z.exactOptional(z.strictObject({ chain: hex64, round: safeCount.min(1) })),
  breakGlassThreshold: z.exactOptional(safeCount.min(1)),
  shares: z.array(
    z.strictObject({
      key: keyName,
      officer: personId,
      sha256: hex64,
      locked: z.exactOptional(hex64),
    }),
  ),
  bundles: z
    .array(z.strictObject({ variant: personId, ...ciphertext }))
    .min(1)
    .max(100),
  closingBundle: z.strictObject(ciphertext),
  releaseTime: time,
  latestDisclosure: time,
  milestones: z.array(milestoneShape).min(1).max(20),
  policy: z.strictObject({ gate: z.literal('attested'), reviews: reviewPolicyShape }),
  snapshot: z.strictObject({ sha256: hex64, point: headerText }),
  mirrors: z.exactOptional(z.array(mirrorUrl).min(1).max(MAX_MIRRORS)),
});
