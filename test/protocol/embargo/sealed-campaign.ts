import { commitmentDigest, encodeCommitment } from '../../../protocol/commitment/commitment.ts';
import { encodeDocument } from '../../../protocol/commitment/document.ts';
import type { DocumentType } from '../../../protocol/commitment/document.ts';
import { encodePlan } from '../../../protocol/plan/plan.ts';
import { DEFAULT_MILESTONES } from '../../../protocol/stake/milestone.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { NO_REVIEWS } from '../../../protocol/plan/review-policy.ts';
import { sha256Hex, toHex, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { generateKey } from '../../../protocol/embargo/age.ts';
import type { AgeKey } from '../../../protocol/embargo/age.ts';
import { sealBundle } from '../../../protocol/embargo/bundle.ts';
import type { Ciphertexts } from '../../../protocol/embargo/check-draft.ts';
import type { Draft } from '../../../protocol/embargo/draft.ts';
import { withAccessKey } from '../../../protocol/embargo/notice.ts';
import { encodeRelease, releaseSums } from '../../../protocol/embargo/release.ts';
import type { Artifact, Release } from '../../../protocol/embargo/release.ts';
import { splitKey } from '../../../protocol/embargo/share.ts';
import { encodeSums } from '../../../protocol/embargo/sums.ts';

/** A campaign sealed as an officer seals it, with its keys still at hand. */
export interface SealedCampaign {
  readonly plan: Plan;
  readonly draft: Draft;
  readonly ciphertexts: Ciphertexts;
  readonly release: Release;
  readonly keys: Readonly<Record<'release' | 'access' | 'closing', AgeKey>>;
}

export const randomHex = (): string => toHex(crypto.getRandomValues(new Uint8Array(32)));

export const digestAndSize = (bytes: Uint8Array): { sha256: string; size: number } => ({
  sha256: sha256Hex(bytes),
  size: bytes.length,
});

/** Seal a campaign with two variants, three artifacts and a 2-of-3 split unless told otherwise. */
export async function sealCampaign(
  options: {
    readonly campaign?: string;
    readonly officers?: readonly string[];
    readonly threshold?: number;
    readonly artifactBytes?: number;
    readonly releaseTime?: string;
    /** Text of the notice, without its key. */
    readonly notice?: string;
  } = {},
): Promise<SealedCampaign> {
  const { campaign = 'SDX-2026-7KQ4', officers = ['alice', 'bob', 'carol'] } = options;
  const { threshold = 2, artifactBytes = 1000 } = options;
  const { releaseTime = '2026-11-20T14:00:00Z' } = options;
  const keys = {
    release: await generateKey(),
    access: await generateKey(),
    closing: await generateKey(),
  };
  const document = (type: DocumentType, body: string): Uint8Array =>
    encodeDocument({ type, campaign, nonce: randomHex(), body: utf8Encode(body) });

  const artifacts = new Map(
    ['agave.patch', 'agave.tar.gz', 'jito.patch'].map((name, index) => [
      name,
      new Uint8Array(artifactBytes).fill(index + 1),
    ]),
  );
  const instructions = utf8Encode('# Apply the patch\n');
  const artifact = (name: string): Artifact => ({
    name,
    ...digestAndSize(artifacts.get(name) ?? new Uint8Array()),
  });
  const release: Release = {
    variants: [
      {
        name: 'agave',
        base: 'v3.0.13',
        tree: 'a'.repeat(40),
        toolchain: 'rust 1.86.0',
        artifacts: [artifact('agave.patch'), artifact('agave.tar.gz')],
      },
      {
        name: 'jito',
        base: 'b'.repeat(40),
        tree: 'c'.repeat(64),
        toolchain: 'rust 1.86.0',
        artifacts: [artifact('jito.patch')],
      },
    ],
    instructions: digestAndSize(instructions),
    releaseTime,
  };
  const releaseDocument = encodeRelease(release, { campaign, nonce: randomHex() });
  const text = options.notice ?? 'Be ready at 14:00 UTC.\n';
  const notice = await withAccessKey(text, keys.access.identity);
  const committed = new Map([
    ['disclosure.md', document('disclosure', '# What it was\n')],
    ['notice.txt', document('notice', notice)],
    ['release.txt', releaseDocument],
  ]);
  const entries = [...committed].map(([name, bytes]) => ({ name, sha256: sha256Hex(bytes) }));
  const list = encodeCommitment(entries);
  const documents = new Map([...committed, ['COMMITMENT', list]]);
  const sums = encodeSums(releaseSums(release, sha256Hex(releaseDocument)));

  const bundles = new Map<string, Uint8Array>();
  for (const variant of release.variants) {
    const files = new Map([
      ['release.txt', releaseDocument],
      ['SHA256SUMS', sums],
      ['INSTRUCTIONS.md', instructions],
      ...[...artifacts].filter(([name]) => variant.artifacts.some((own) => own.name === name)),
    ]);
    bundles.set(variant.name, await sealBundle(files, keys.release.recipient));
  }
  const closing = await sealBundle(documents, keys.closing.recipient);
  const split = { campaign, officers, threshold };
  const shares = {
    release: await splitKey(keys.release.identity, { key: 'release', ...split }),
    closing: await splitKey(keys.closing.identity, { key: 'closing', ...split }),
    'break-glass': [],
  };
  const plan: Plan = {
    campaign,
    nonce: randomHex(),
    revision: 1,
    network: 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d',
    kind: 'embargoed',
    exercise: false,
    commitment: commitmentDigest(list),
    documents: entries,
    releaseRecipient: keys.release.recipient,
    accessRecipient: keys.access.recipient,
    closingRecipient: keys.closing.recipient,
    shareThreshold: threshold,
    shares: (['release', 'closing'] as const).flatMap((key) =>
      shares[key].map((share) => ({
        key,
        officer: share.officer,
        sha256: sha256Hex(share.document),
      })),
    ),
    bundles: [...bundles].map(([variant, bytes]) => ({ variant, ...digestAndSize(bytes) })),
    closingBundle: digestAndSize(closing),
    releaseTime,
    latestDisclosure: '2026-12-20T14:00:00Z',
    milestones: [...DEFAULT_MILESTONES],
    policy: { gate: 'attested', reviews: NO_REVIEWS },
    snapshot: { sha256: 'd'.repeat(64), point: 'epoch 650' },
  };
  const draft: Draft = {
    plan: encodePlan(plan),
    documents,
    sums,
    instructions,
    artifacts,
    releaseKey: keys.release.identity,
    closingKey: keys.closing.identity,
    shares,
    locked: new Map(),
  };
  return { plan, draft, ciphertexts: { bundles, closing }, release, keys };
}
