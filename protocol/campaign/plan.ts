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
import { isStrictlySorted } from '../encoding/sorted.ts';
import { parseTime } from '../encoding/time.ts';
import { keyName } from '../embargo/key-name.ts';
import type { KeyName } from '../embargo/key-name.ts';
import { findChain, roundAt } from '../embargo/timelock.ts';
import type { Timelock } from '../embargo/timelock.ts';
import { ProtocolError } from '../errors.ts';
import { milestoneShape } from '../stake/milestone.ts';
import type { Milestone } from '../stake/milestone.ts';
import { headerText } from '../stake/snapshot.ts';
import type { TrustRoot } from '../trust/root.ts';
import {
  commitmentDigest,
  commitmentName,
  DOCUMENT_TYPE_OF,
  encodeCommitment,
} from './commitment.ts';
import type { CommitmentEntry } from './commitment.ts';
import { encodeDocument, MAX_DOCUMENT_BYTES, parseDocument } from './document.ts';
import { checkReviewers, checkReviewPolicy, reviewPolicyShape } from './review-policy.ts';
import type { ReviewPolicy } from './review-policy.ts';
import { checkServerShares, serverHoldersOf } from './server-custody.ts';

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

/** The splits that a plan has. */
export function keysOf({ breakGlassThreshold }: Plan): readonly KeyName[] {
  return breakGlassThreshold === undefined
    ? ['release', 'closing']
    : ['release', 'closing', 'break-glass'];
}

/**
 * How many shares of one split make its key.
 *
 * @throws {@link ProtocolError} `plan_invalid` for a split that the plan does not have.
 */
export function thresholdOf({ shareThreshold, breakGlassThreshold }: Plan, key: KeyName): number {
  if (key !== 'break-glass') return shareThreshold;
  if (breakGlassThreshold !== undefined) return breakGlassThreshold;
  throw new ProtocolError('plan_invalid', 'the plan has no break-glass split');
}

/**
 * Check that a plan agrees with itself and with the root of trust that its officers come from.
 *
 * @throws {@link ProtocolError} `plan_invalid`, naming the first rule that is broken.
 * @see docs/spec/plan.md, "Rules"
 */
export function checkPlan(plan: Plan, root: TrustRoot): void {
  checkConsistency(plan);
  demand(plan.network === root.network, 'the plan is for another network than the root');
  demand(plan.shareThreshold === root.shareThreshold, 'shareThreshold differs from the root');
  checkServerShares(plan, root);
  const server = serverHoldersOf(plan);
  const { custodian } = root;
  demand(server.length === 0 || custodian !== undefined, 'the root names no server as custodian');
  for (const key of keysOf(plan)) {
    const holders = plan.shares.filter((share) => share.key === key).map(({ officer }) => officer);
    const everyone = [...root.people.keys(), ...(key === 'release' ? server : [])].sort();
    demand(
      holders.length === everyone.length && holders.sort().every((id, i) => id === everyone[i]),
      `every officer holds exactly one share of the ${key} key`,
    );
  }
  checkReviewers(plan.policy.reviews, root);
  const parties = [...root.people.values(), ...root.reviewers.values()];
  const ages = new Set([...parties, ...(custodian ? [custodian] : [])].map(({ age }) => age));
  demand(
    recipients(plan).every((recipient) => !ages.has(recipient)),
    'a recipient of the campaign is the key of an officer, a reviewer or the server',
  );
}

function checkConsistency(plan: Plan): void {
  const { documents, shares, bundles, milestones } = plan;
  const names = documents.map(({ name }) => name);
  demand(isStrictlySorted(names), 'documents are sorted and named once');
  for (const name of Object.keys(DOCUMENT_TYPE_OF)) demand(names.includes(name), `no ${name}`);
  checkPredecessor(plan, names);
  demand(commitmentDigest(listOf(plan)) === plan.commitment, 'commitment is not of the documents');

  demand(new Set(recipients(plan)).size === 3, 'the three recipients are not distinct');
  demand(isUnique(shares.map(({ sha256 }) => sha256)), 'two shares are the same');
  demand(isUnique(shares.map(({ key, officer }) => `${key} ${officer}`)), 'two shares for one');
  checkServerShares(plan);
  checkTimelock(plan);
  demand(isUnique(bundles.map(({ variant }) => variant)), 'two bundles for one variant');
  const ciphertexts = [...bundles, plan.closingBundle].map(({ sha256 }) => sha256);
  demand(isUnique(ciphertexts), 'two bundles are the same');

  demand(isStrictlySorted(plan.mirrors ?? []), 'mirrors are sorted and named once');
  checkReviewPolicy(plan.policy.reviews);

  demand(isUnique(milestones.map(({ name }) => name)), 'two milestones of one name');
  const [gate, ...others] = milestones.filter(({ action }) => action === 'gate');
  demand(gate?.strict === true && others.length === 0, 'exactly one milestone gates, strictly');
  demand(
    parseTime(plan.releaseTime) < parseTime(plan.latestDisclosure),
    'releaseTime comes before latestDisclosure',
  );
}

/** Locked are the release shares, all or none of them, to the round that T0 asks for. */
function checkTimelock(plan: Plan): void {
  const { timelock, breakGlassThreshold, shareThreshold, shares, releaseTime } = plan;
  const isLocked = timelock !== undefined;
  if (isLocked) {
    const chain = findChain(timelock.chain);
    demand(chain !== undefined, 'the time-lock names an unknown chain');
    const isFirst = chain && timelock.round === roundAt(chain, parseTime(releaseTime));
    demand(isFirst === true, 'the time-lock is not to the first round from T0 on');
  }
  for (const { key, locked } of shares) {
    const isRight = (locked !== undefined) === (isLocked && key === 'release');
    demand(isRight, 'with a time-lock every release share is locked, and no other');
  }
  const glass = shares.filter(({ key }) => key === 'break-glass').length;
  if (breakGlassThreshold === undefined) {
    demand(glass === 0, 'break-glass shares without breakGlassThreshold');
  } else {
    demand(isLocked, 'a break-glass split goes with a time-lock, only there');
    const isHigher = breakGlassThreshold > shareThreshold && breakGlassThreshold <= glass;
    demand(isHigher, 'breakGlassThreshold is above shareThreshold and at most every officer');
  }
}

/** A later list names the one before it, and no list names any other. */
function checkPredecessor({ revision }: Plan, names: readonly string[]): void {
  const earlier = names.filter((name) => name.startsWith('COMMITMENT'));
  const expected = revision === 1 ? [] : [commitmentName(revision - 1)];
  demand(
    earlier.length === expected.length && earlier[0] === expected[0],
    'a revised plan lists the COMMITMENT before it, and no other',
  );
}

function listOf(plan: Plan): Uint8Array {
  try {
    return encodeCommitment(plan.documents);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new ProtocolError('plan_invalid', 'documents make no COMMITMENT');
  }
}

function recipients(plan: Plan): readonly string[] {
  return [plan.releaseRecipient, plan.accessRecipient, plan.closingRecipient];
}

function isUnique(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}

function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new ProtocolError('plan_invalid', otherwise);
}
