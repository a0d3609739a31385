import { randomBytes } from 'node:crypto';

import { encodeCommitment, commitmentDigest } from '../../protocol/commitment/commitment.ts';
import { documentDigest, encodeDocument } from '../../protocol/commitment/document.ts';
import type { DocumentType } from '../../protocol/commitment/document.ts';
import type { Plan } from '../../protocol/plan/plan.ts';
import { NO_REVIEWS } from '../../protocol/plan/review-policy.ts';
import type { ReviewPolicy } from '../../protocol/plan/review-policy.ts';
import { encodePlan, planDigest } from '../../protocol/plan/plan.ts';
import { DEFAULT_MILESTONES } from '../../protocol/stake/milestone.ts';
import type { AgeKey } from '../../protocol/embargo/age.ts';
import { generateKey, seal } from '../../protocol/embargo/age.ts';
import { sealBundle } from '../../protocol/embargo/bundle.ts';
import { withAccessKey } from '../../protocol/embargo/notice.ts';
import { encodeRelease, releaseSums } from '../../protocol/embargo/release.ts';
import type { KeyName } from '../../protocol/plan/key-name.ts';
import { lock } from '../../protocol/embargo/lock.ts';
import { serverHolders } from '../../protocol/trust/server-holder.ts';
import { splitKey } from '../../protocol/embargo/share.ts';
import { encodeSums } from '../../protocol/embargo/sums.ts';
import type { Files } from '../../protocol/embargo/tar.ts';
import { QUICKNET, roundAt } from '../../protocol/plan/timelock.ts';
import { sha256Hex, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { formatTime, parseTime } from '../../protocol/encoding/time.ts';
import { holderRecipient, type TrustRoot } from '../../protocol/trust/root.ts';
import type { TestOfficer } from './officers.ts';

/** A ciphertext and what the plan says of it. */
export interface Ciphertext {
  readonly sha256: string;
  readonly size: number;
  readonly bytes: Uint8Array;
}

/** A sealed campaign with every secret that a test may want. */
export interface SealedCampaign {
  readonly id: string;
  readonly plan: Plan;
  readonly planBytes: Uint8Array;
  readonly planDigest: string;
  readonly bundle: Ciphertext;
  readonly closing: Ciphertext;
  readonly documents: Files;
  readonly custody: readonly { key: KeyName; officer: string; sealed: Uint8Array }[];
  /** Share documents by key and officer. */
  readonly shares: Readonly<Record<KeyName, ReadonlyMap<string, Uint8Array>>>;
  readonly keys: Readonly<Record<'release' | 'closing' | 'access', AgeKey>>;
  /** What the bundle holds. */
  readonly patch: Uint8Array;
}

export interface SealOptions {
  readonly now: number;
  readonly snapshot: { readonly sha256: string; readonly point: string };
  readonly id?: string;
  /** From now; an hour by default. */
  readonly releaseInMs?: number;
  /** From now; thirty days by default. */
  readonly latestInMs?: number;
  /** The patch; a few bytes by default. */
  readonly patch?: Uint8Array;
  /** Text of disclosure.md. */
  readonly disclosure?: string;
  /** Text of the notice, which gets the access key added. */
  readonly notice?: string;
  readonly reviews?: ReviewPolicy;
  readonly exercise?: boolean;
  /** Release shares are locked to the drand round of T0. */
  readonly timelock?: boolean;
  /** How many release shares are the server's; none by default. */
  readonly serverShares?: number;
  /** What the plan names. */
  readonly mirrors?: readonly string[];
}

const HOUR_MS = 3_600_000;
export const VARIANT = 'agave';

const nonce = (): string => randomBytes(32).toString('hex');

let lastId = randomBytes(2).readUInt16BE();

/** A campaign id that this process has not used: drawn at random, two of hundreds would be the same. */
export function campaignId(): string {
  lastId = (lastId + 1) % 0x1_0000;
  return `SDX-2026-${lastId.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Seal a campaign with one variant, as officers' machines do. */
export async function sealCampaign(
  root: TrustRoot,
  officers: readonly TestOfficer[],
  options: SealOptions,
): Promise<SealedCampaign> {
  const { now, snapshot, id = campaignId() } = options;
  const [release, closing, access] = await Promise.all([
    generateKey(),
    generateKey(),
    generateKey(),
  ]);
  const releaseTime = formatTime(now + (options.releaseInMs ?? HOUR_MS));
  const { patch = utf8Encode('--- a/bank.rs\n+++ b/bank.rs\n') } = options;

  const instructions = utf8Encode('Apply the patch, build, restart.\n');
  const releaseBody = {
    variants: [
      {
        name: VARIANT,
        base: 'v3.0.14',
        tree: 'a'.repeat(40),
        toolchain: 'rustc 1.90.0',
        artifacts: [{ name: 'agave.patch', size: patch.length, sha256: sha256Hex(patch) }],
      },
    ],
    instructions: { size: instructions.length, sha256: sha256Hex(instructions) },
    releaseTime,
  };
  const releaseText = encodeRelease(releaseBody, { campaign: id, nonce: nonce() });
  const document = (type: DocumentType, text: string): Uint8Array =>
    encodeDocument({ type, campaign: id, nonce: nonce(), body: utf8Encode(text) });
  const named = new Map([
    ['disclosure.md', document('disclosure', options.disclosure ?? '# What happened\n')],
    [
      'notice.txt',
      document(
        'notice',
        await withAccessKey(options.notice ?? 'Prepare to patch.\n', access.identity),
      ),
    ],
    ['release.txt', releaseText],
  ]);
  const entries = [...named].map(([name, bytes]) => ({ name, sha256: documentDigest(bytes) }));
  const list = encodeCommitment(entries);
  const documents: Files = new Map([...named, ['COMMITMENT', list]]);

  const files: Files = new Map([
    ['release.txt', releaseText],
    ['SHA256SUMS', encodeSums(releaseSums(releaseBody, documentDigest(releaseText)))],
    ['INSTRUCTIONS.md', instructions],
    ['agave.patch', patch],
  ]);
  const bundle = ciphertext(await sealBundle(files, release.recipient));
  const closingBundle = ciphertext(await sealBundle(documents, closing.recipient));

  const names = officers.map((it) => it.id);
  const server = serverHolders(options.serverShares ?? 0);
  const split = async (
    key: KeyName,
    identity: string,
    holders = names,
  ): Promise<Map<string, Uint8Array>> => {
    const { shareThreshold: threshold } = root;
    const parts = await splitKey(identity, { key, campaign: id, officers: holders, threshold });
    return new Map(parts.map((part) => [part.officer, part.document]));
  };
  const shares = {
    release: await split('release', release.identity, [...names, ...server]),
    closing: await split('closing', closing.identity),
    'break-glass': new Map<string, Uint8Array>(),
  };
  const round = roundAt(QUICKNET, parseTime(releaseTime));
  const locked = new Map<string, Uint8Array>();
  for (const [holder, bytes] of options.timelock ? shares.release : []) {
    locked.set(holder, await lock(bytes, QUICKNET, round));
  }
  const fileOf = (key: KeyName, holder: string): Uint8Array | undefined =>
    key === 'release' ? locked.get(holder) : undefined;
  const planned = (['release', 'closing'] as const).flatMap((key) =>
    [...shares[key]].map(([officer, bytes]) => {
      const file = fileOf(key, officer);
      const share = { key, officer, sha256: documentDigest(bytes) };
      return file === undefined ? share : { ...share, locked: sha256Hex(file) };
    }),
  );
  const custody = await Promise.all(
    (['release', 'closing'] as const).flatMap((key) =>
      [...shares[key]].map(async ([officer, bytes]) => ({
        key,
        officer,
        sealed: await seal(fileOf(key, officer) ?? bytes, [holderRecipient(root, officer) ?? '']),
      })),
    ),
  );
  const plan: Plan = {
    campaign: id,
    nonce: nonce(),
    revision: 1,
    network: root.network,
    kind: 'embargoed',
    exercise: options.exercise ?? false,
    commitment: commitmentDigest(list),
    documents: entries,
    releaseRecipient: release.recipient,
    accessRecipient: access.recipient,
    closingRecipient: closing.recipient,
    shareThreshold: root.shareThreshold,
    ...(options.timelock && { timelock: { chain: QUICKNET.hash, round } }),
    shares: planned,
    bundles: [{ variant: VARIANT, sha256: bundle.sha256, size: bundle.size }],
    closingBundle: { sha256: closingBundle.sha256, size: closingBundle.size },
    releaseTime,
    latestDisclosure: formatTime(now + (options.latestInMs ?? 30 * 24 * HOUR_MS)),
    milestones: DEFAULT_MILESTONES,
    policy: { gate: 'attested', reviews: options.reviews ?? NO_REVIEWS },
    snapshot,
    ...(options.mirrors && { mirrors: options.mirrors }),
  };
  const planBytes = encodePlan(plan);
  return {
    id,
    plan,
    planBytes,
    planDigest: planDigest(planBytes),
    bundle,
    closing: closingBundle,
    documents,
    custody,
    shares,
    keys: { release, closing, access },
    patch,
  };
}

function ciphertext(bytes: Uint8Array): Ciphertext {
  return { sha256: sha256Hex(bytes), size: bytes.length, bytes };
}
