import { z } from 'zod';
import { equalBytes, sha256Hex, utf8Encode } from '../encoding/bytes.ts';
import { parseJson } from '../encoding/json.ts';
import {
  ageRecipient,
  hex64,
  MAX_MIRRORS,
  mirrorUrl,
  networkId,
  parseShape,
  personId,
  safeCount,
  time,
} from '../encoding/shape.ts';
import { keyName } from '../embargo/key-name.ts';
import type { KeyName } from '../embargo/key-name.ts';
import type { Timelock } from '../embargo/timelock.ts';
import { ProtocolError } from '../errors.ts';
import { milestoneShape } from '../stake/milestone.ts';
import type { Milestone } from '../stake/milestone.ts';
import { headerText } from '../stake/snapshot.ts';
import type { CommitmentEntry } from './commitment.ts';
import { encodeDocument, MAX_DOCUMENT_BYTES, parseDocument } from './document.ts';
import { checkConsistency } from './plan-rules.ts';
import { reviewPolicyShape } from './review-policy.ts';
import type { ReviewPolicy } from './review-policy.ts';

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

/** A third can halt a network, more than two thirds carry it, nine tenths are as good as all. */
export const DEFAULT_MILESTONES: readonly Milestone[] = [
  { name: 'safety', num: 1, den: 3, strict: false, weight: 'stake', action: 'record' },
  { name: 'supermajority', num: 2, den: 3, strict: true, weight: 'stake', action: 'gate' },
  { name: 'complete', num: 9, den: 10, strict: false, weight: 'stake', action: 'record' },
];

const ciphertext = { sha256: hex64, size: safeCount.min(1) };

/** The body, its members in the order in which they are written. */
const planBody: z.ZodType<Omit<Plan, 'campaign' | 'nonce'>> = z.strictObject({
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

/**
 * Write `plan.txt`: a sealed document whose body is JSON indented by two, for people to read.
 *
 * @throws {@link ProtocolError} `plan_invalid` for a plan that contradicts itself.
 */
export function encodePlan(plan: Plan): Uint8Array {
  const { campaign, nonce, ...rest } = plan;
  const body = parseShape(planBody, rest, 'plan_invalid', 'plan');
  checkConsistency(plan);
  const text = `${JSON.stringify(body, null, 2)}\n`;
  return encodeDocument({ type: 'plan', campaign, nonce, body: utf8Encode(text) });
}

/**
 * Read `plan.txt`. Each plan has exactly one encoding.
 *
 * @throws {@link ProtocolError} `plan_invalid` when it contradicts itself or is spelled another way;
 *   `document_invalid`, `encoding_invalid` or `too_large` for what encloses it.
 * @see docs/spec/plan.md
 */
export function parsePlan(bytes: Uint8Array): Plan {
  const { type, campaign, nonce, body } = parseDocument(bytes);
  if (type !== 'plan') throw new ProtocolError('plan_invalid', 'the document is not a plan');
  const json = parseJson(body, MAX_DOCUMENT_BYTES);
  const plan = { campaign, nonce, ...parseShape(planBody, json, 'plan_invalid', 'plan') };
  if (!equalBytes(encodePlan(plan), bytes)) {
    throw new ProtocolError('plan_invalid', 'the plan is not in its one encoding');
  }
  return plan;
}

/** SHA-256 of `plan.txt` in lower-case hex: what directives are about. */
export function planDigest(bytes: Uint8Array): string {
  return sha256Hex(bytes);
}
