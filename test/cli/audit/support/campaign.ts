import { generateSeed, signerFromSeed } from '../../../../platform/ed25519.ts';
import { commitmentDigest, encodeCommitment } from '../../../../protocol/commitment/commitment.ts';
import { documentDigest, encodeDocument } from '../../../../protocol/commitment/document.ts';
import { encodePlan, type Plan } from '../../../../protocol/plan/plan.ts';
import { DEFAULT_MILESTONES } from '../../../../protocol/stake/milestone.ts';
import { NO_REVIEWS } from '../../../../protocol/plan/review-policy.ts';
import { generateKey, type AgeKey } from '../../../../protocol/embargo/age.ts';
import { sealBundle } from '../../../../protocol/embargo/bundle.ts';
import { withAccessKey } from '../../../../protocol/embargo/notice.ts';
import { encodeRelease, releaseSums, type Release } from '../../../../protocol/embargo/release.ts';
import type { KeyName } from '../../../../protocol/plan/key-name.ts';
import { splitKey, type OfficerShare } from '../../../../protocol/embargo/share.ts';
import { encodeSums } from '../../../../protocol/embargo/sums.ts';
import {
  fromHex,
  sha256Hex,
  toBase58,
  toHex,
  utf8Encode,
} from '../../../../protocol/encoding/bytes.ts';
import type { Signer } from '../../../../protocol/signature/ed25519.ts';
import { encodeSnapshot, snapshotDigest } from '../../../../protocol/stake/snapshot.ts';
import { NETWORK, type Officers } from '../../officer/support/officers.ts';

export const CAMPAIGN = 'SDX-2026-7KQ4';
export const RELEASE_TIME = '2026-11-20T14:00:00Z';

/** A validator with a key of its own and some stake. */
export interface Validator {
  readonly signer: Signer;
  readonly identity: string;
  readonly stake: bigint;
}

/** An operator and the validators that vouch for him. */
export interface Operator {
  readonly signer: Signer;
  readonly validators: readonly Validator[];
}

/** A campaign as its sealer has it: all keys and all plaintext. */
export interface SealedCampaign {
  readonly plan: Plan;
  readonly planBytes: Uint8Array;
  /** COMMITMENT and documents. */
  readonly documents: ReadonlyMap<string, Uint8Array>;
  readonly release: Release;
  readonly sums: Uint8Array;
  readonly bundles: ReadonlyMap<string, Uint8Array>;
  readonly closing: Uint8Array;
  readonly keys: Readonly<Record<'release' | 'access' | 'closing', AgeKey>>;
  readonly shares: Readonly<Record<KeyName, readonly OfficerShare[]>>;
  readonly snapshotBytes: Uint8Array;
}

export function makeValidator(stake: bigint): Validator {
  const signer = signerFromSeed(generateSeed());
  return { signer, identity: toBase58(fromHex(signer.publicKey, 32)), stake };
}

export function makeOperator(...stakes: readonly bigint[]): Operator {
  const validators = stakes.map(makeValidator);
  validators.sort((a, b) => (a.identity < b.identity ? -1 : 1));
  return { signer: signerFromSeed(generateSeed()), validators };
}

export interface SealOptions {
  readonly campaign?: string;
  readonly variants?: readonly string[];
  /** Changes the header of the stake snapshot; the plan pins whatever comes out. */
  readonly snapshot?: { readonly network?: string; readonly point?: string };
  /** An officer whose release share is of another key: the sealer cheats, the plan commits to it. */
  readonly strayShareOf?: string;
  /** Changes the plan just before it is encoded. */
  readonly tweak?: (plan: Plan) => Plan;
  /** Changes what is in each bundle, after the plan's documents are fixed. */
  readonly tweakBundle?: (files: Map<string, Uint8Array>) => void;
}

/** Seal a small campaign over the stake of these operators. */
export async function sealTestCampaign(
  { root }: Officers,
  operators: readonly Operator[],
  options: SealOptions = {},
): Promise<SealedCampaign> {
  const {
    campaign = CAMPAIGN,
    variants = ['agave', 'jito'],
    tweak = (plan: Plan): Plan => plan,
  } = options;
  const nonce = (): string => toHex(generateSeed());
  const [release, access, closing] = [
    await generateKey(),
    await generateKey(),
    await generateKey(),
  ];
  const keys = { release, access, closing };

  const artifacts = new Map(
    variants.map((name) => [`${name}.patch`, utf8Encode(`patch for ${name} of ${campaign}\n`)]),
  );
  const instructions = utf8Encode('# Apply the patch\n');
  const contents: Release = {
    variants: variants.map((name) => {
      const bytes = artifacts.get(`${name}.patch`) ?? new Uint8Array();
      const artifact = { name: `${name}.patch`, size: bytes.length, sha256: sha256Hex(bytes) };
      const tree = 'a'.repeat(40);
      return { name, base: 'v2.1.0', tree, toolchain: 'rust 1.83', artifacts: [artifact] };
    }),
    instructions: { size: instructions.length, sha256: sha256Hex(instructions) },
    releaseTime: RELEASE_TIME,
  };
  const releaseText = encodeRelease(contents, { campaign, nonce: nonce() });
  const notice = await withAccessKey('An urgent patch is coming.\n', access.identity);
  const documents = new Map([
    [
      'notice.txt',
      encodeDocument({ type: 'notice', campaign, nonce: nonce(), body: utf8Encode(notice) }),
    ],
    ['release.txt', releaseText],
    [
      'disclosure.md',
      encodeDocument({
        type: 'disclosure',
        campaign,
        nonce: nonce(),
        body: utf8Encode('# What it was\n'),
      }),
    ],
  ]);
  const entries = [...documents]
    .map(([name, bytes]) => ({ name, sha256: documentDigest(bytes) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const list = encodeCommitment(entries);
  documents.set('COMMITMENT', list);
  const sums = encodeSums(releaseSums(contents, documentDigest(releaseText)));

  const bundles = new Map<string, Uint8Array>();
  for (const name of variants) {
    const files = new Map([
      ['release.txt', releaseText],
      ['SHA256SUMS', sums],
      ['INSTRUCTIONS.md', instructions],
      [`${name}.patch`, artifacts.get(`${name}.patch`) ?? new Uint8Array()],
    ]);
    options.tweakBundle?.(files);
    bundles.set(name, await sealBundle(files, release.recipient));
  }
  const closingBundle = await sealBundle(documents, closing.recipient);
  const officers = [...root.people.keys()].sort();
  const threshold = root.shareThreshold;
  const shares = {
    release: await splitKey(release.identity, { key: 'release', campaign, officers, threshold }),
    closing: await splitKey(closing.identity, { key: 'closing', campaign, officers, threshold }),
    'break-glass': [],
  };
  if (options.strayShareOf !== undefined) {
    const { identity } = await generateKey();
    const other = await splitKey(identity, { key: 'release', campaign, officers, threshold });
    shares.release = shares.release.map((share, i) =>
      share.officer === options.strayShareOf ? (other[i] ?? share) : share,
    );
  }
  const snapshotBytes = encodeSnapshot({
    network: NETWORK,
    point: 'epoch 860',
    source: 'made for a test',
    ...options.snapshot,
    rows: operators.flatMap(({ validators }) =>
      validators.map(({ identity, stake }) => ({
        identity,
        voteAccount: makeValidator(0n).identity,
        stake,
      })),
    ),
  });
  const plan: Plan = {
    campaign,
    nonce: nonce(),
    revision: 1,
    network: NETWORK,
    kind: 'embargoed',
    exercise: false,
    commitment: commitmentDigest(list),
    documents: entries,
    releaseRecipient: release.recipient,
    accessRecipient: access.recipient,
    closingRecipient: closing.recipient,
    shareThreshold: threshold,
    shares: (['release', 'closing'] as const).flatMap((key) =>
      shares[key].map(({ officer, document }) => ({
        key,
        officer,
        sha256: documentDigest(document),
      })),
    ),
    bundles: [...bundles].map(([variant, bytes]) => ({
      variant,
      sha256: sha256Hex(bytes),
      size: bytes.length,
    })),
    closingBundle: { sha256: sha256Hex(closingBundle), size: closingBundle.length },
    releaseTime: RELEASE_TIME,
    latestDisclosure: '2027-02-01T00:00:00Z',
    milestones: [...DEFAULT_MILESTONES],
    policy: { gate: 'attested', reviews: NO_REVIEWS },
    snapshot: { sha256: snapshotDigest(snapshotBytes), point: 'epoch 860' },
  };
  const planBytes = encodePlan(tweak(plan));
  return {
    plan: tweak(plan),
    planBytes,
    documents,
    release: contents,
    sums,
    bundles,
    closing: closingBundle,
    keys,
    shares,
    snapshotBytes,
  };
}
