import { openAge } from '../../../platform/age.ts';
import {
  commitmentDigest,
  commitmentName,
  encodeCommitment,
} from '../../../protocol/commitment/commitment.ts';
import { documentDigest, encodeDocument } from '../../../protocol/commitment/document.ts';
import type { DocumentType } from '../../../protocol/commitment/document.ts';
import { generateKey } from '../../../protocol/embargo/age.ts';
import type { AgeKey } from '../../../protocol/embargo/age.ts';
import { sealBundle } from '../../../protocol/embargo/bundle.ts';
import { checkDraft } from '../../../protocol/embargo/check-draft.ts';
import type { Draft } from '../../../protocol/embargo/draft.ts';
import { lock } from '../../../protocol/embargo/lock.ts';
import { withAccessKey } from '../../../protocol/embargo/notice.ts';
import { encodeRelease, releaseSums } from '../../../protocol/embargo/release.ts';
import type { Release } from '../../../protocol/embargo/release.ts';
import { splitKey } from '../../../protocol/embargo/share.ts';
import type { OfficerShare } from '../../../protocol/embargo/share.ts';
import { SUMS_NAME, encodeSums } from '../../../protocol/embargo/sums.ts';
import type { Files } from '../../../protocol/embargo/tar.ts';
import { sha256Hex, toHex, utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { parseTime } from '../../../protocol/encoding/time.ts';
import { KEY_NAMES, type KeyName } from '../../../protocol/plan/key-name.ts';
import { encodePlan } from '../../../protocol/plan/plan.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { checkPlan } from '../../../protocol/plan/rules.ts';
import { custodyText } from '../../../protocol/plan/server-custody.ts';
import { QUICKNET, roundAt } from '../../../protocol/plan/timelock.ts';
import { DEFAULT_MILESTONES } from '../../../protocol/stake/milestone.ts';
import { parseSnapshot, snapshotDigest } from '../../../protocol/stake/snapshot.ts';
import type { TrustRoot } from '../../../protocol/trust/root.ts';
import { serverHolders } from '../../../protocol/trust/server-holder.ts';
import { reviewPolicyOf, serverSharesOf } from '../campaign/campaign-file.ts';
import type { LintedCampaign } from '../lint/lint.ts';
import { earlierOf } from './earlier.ts';

/** A campaign as it leaves the plaintext behind. Only `draft` holds keys and plaintext. */
export interface SealedCampaign {
  readonly plan: Plan;
  readonly planBytes: Uint8Array;
  /** `COMMITMENT` */
  readonly list: Uint8Array;
  /** Variant → ciphertext. */
  readonly bundles: Files;
  readonly closing: Uint8Array;
  readonly snapshot: Uint8Array;
  readonly draft: Draft;
}

type Random = (length: number) => Uint8Array;

/**
 * Seal a campaign: fresh keys, split among the officers of `root`; documents with fresh nonces; one
 * bundle a variant; and the plan that ties them together.
 *
 * The result is checked the way an approving officer will check it before it is returned.
 *
 * @param random - Secure random bytes, for nonces.
 * @param before - The revision in force, for the next one of the same campaign.
 * @throws {@link ProtocolError} as `checkPlan` and `checkDraft` do.
 */
export async function sealCampaign(
  { campaign, directory, snapshot }: LintedCampaign,
  root: TrustRoot,
  random: Random,
  before?: Draft,
): Promise<SealedCampaign> {
  const earlier = earlierOf(before);
  const file = (name: string): Uint8Array => {
    const bytes = directory.files.get(name);
    if (bytes === undefined) throw new Error('linting has seen every file');
    return bytes;
  };
  const nonce = (): string => toHex(random(32));
  const document = (type: DocumentType, body: Uint8Array): Uint8Array =>
    encodeDocument({ type, campaign: campaign.id, nonce: nonce(), body });

  const [release, access, closing] = await makeKeys();
  const instructions = file('INSTRUCTIONS.md');
  const artifacts = new Map(
    campaign.variants.flatMap(({ name, files }) =>
      files.map((artifact) => [artifact, file(`artifacts/${name}/${artifact}`)]),
    ),
  );
  const contents = releaseOf(campaign, artifacts, instructions);
  const releaseText = encodeRelease(contents, { campaign: campaign.id, nonce: nonce() });
  const held = serverSharesOf(campaign, root.shareThreshold);
  const custody = custodyText(held, root.shareThreshold);
  const text = withNewline(utf8Decode(file('notice.md')));
  const notice = await withAccessKey(
    custody === undefined ? text : `${text}\n${custody}\n\n`,
    access.identity,
  );
  const documents = new Map([
    ['notice.txt', document('notice', utf8Encode(notice))],
    ['release.txt', releaseText],
    ['disclosure.md', document('disclosure', file('disclosure.md'))],
  ]);
  const entries = [
    ...earlier.entries,
    ...[...documents].map(([name, bytes]) => ({ name, sha256: documentDigest(bytes) })),
  ];
  const list = encodeCommitment(entries);
  const sums = encodeSums(releaseSums(contents, documentDigest(releaseText)));
  documents.set(commitmentName(earlier.revision), list);
  for (const [name, bytes] of earlier.files) documents.set(name, bytes);

  const bundles = new Map<string, Uint8Array>();
  for (const variant of contents.variants) {
    const files = new Map([
      ['release.txt', releaseText],
      [SUMS_NAME, sums],
      ['INSTRUCTIONS.md', instructions],
      ...variant.artifacts.map(({ name }): [string, Uint8Array] => [
        name,
        artifacts.get(name) ?? new Uint8Array(),
      ]),
    ]);
    bundles.set(variant.name, await sealBundle(files, release.recipient));
  }
  const closingBundle = await sealBundle(documents, closing.recipient);
  const breakGlassThreshold = campaign.timelock?.breakGlassThreshold;
  const officers = [...root.people.keys()].sort();
  const server = serverHolders(held);
  const split = (
    { identity }: AgeKey,
    key: KeyName,
    holders = officers,
    threshold = root.shareThreshold,
  ): Promise<OfficerShare[]> =>
    splitKey(identity, { key, campaign: campaign.id, officers: holders, threshold });
  const shares = {
    release: await split(release, 'release', [...officers, ...server]),
    closing: await split(closing, 'closing'),
    'break-glass':
      breakGlassThreshold === undefined
        ? []
        : await split(release, 'break-glass', officers, breakGlassThreshold),
  };
  const round = roundAt(QUICKNET, parseTime(campaign.releaseTime));
  const locked = new Map<string, Uint8Array>();
  for (const { officer, document } of campaign.timelock ? shares.release : []) {
    locked.set(officer, await lock(document, QUICKNET, round));
  }

  const plan: Plan = {
    campaign: campaign.id,
    nonce: nonce(),
    revision: earlier.revision,
    network: campaign.network,
    kind: 'embargoed',
    exercise: campaign.exercise,
    commitment: commitmentDigest(list),
    documents: entries.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    releaseRecipient: release.recipient,
    accessRecipient: access.recipient,
    closingRecipient: closing.recipient,
    shareThreshold: root.shareThreshold,
    ...(campaign.timelock && { timelock: { chain: QUICKNET.hash, round } }),
    ...(breakGlassThreshold !== undefined && { breakGlassThreshold }),
    shares: KEY_NAMES.flatMap((key) =>
      shares[key].map(({ officer, document: bytes }) => {
        const file = key === 'release' ? locked.get(officer) : undefined;
        const planned = { key, officer, sha256: documentDigest(bytes) };
        return file === undefined ? planned : { ...planned, locked: sha256Hex(file) };
      }),
    ),
    bundles: [...bundles].map(([variant, bytes]) => ({ variant, ...measure(bytes) })),
    closingBundle: measure(closingBundle),
    releaseTime: campaign.releaseTime,
    latestDisclosure: campaign.latestDisclosure,
    milestones: [...(campaign.milestones ?? DEFAULT_MILESTONES)],
    policy: { gate: 'attested', reviews: reviewPolicyOf(campaign) },
    snapshot: { sha256: snapshotDigest(snapshot), point: parseSnapshot(snapshot).point },
    ...(campaign.mirrors?.length ? { mirrors: [...campaign.mirrors].sort() } : {}),
  };
  checkPlan(plan, root);
  const planBytes = encodePlan(plan);
  const draft: Draft = {
    plan: planBytes,
    documents,
    sums,
    instructions,
    artifacts,
    releaseKey: release.identity,
    closingKey: closing.identity,
    shares,
    locked,
  };
  await checkDraft(draft, plan, { bundles, closing: closingBundle }, openAge);
  return { plan, planBytes, list, bundles, closing: closingBundle, snapshot, draft };
}

async function makeKeys(): Promise<[AgeKey, AgeKey, AgeKey]> {
  return [await generateKey(), await generateKey(), await generateKey()];
}

/** What release.txt says of a campaign. */
export function releaseOf(
  campaign: LintedCampaign['campaign'],
  artifacts: Files,
  instructions: Uint8Array,
): Release {
  const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
  const variants = campaign.variants.map(({ name, base, tree, toolchain, files }) => ({
    name,
    base,
    tree,
    toolchain,
    artifacts: files
      .map((file) => ({ name: file, ...measure(artifacts.get(file) ?? new Uint8Array()) }))
      .sort(byName),
  }));
  const { size, sha256 } = measure(instructions);
  return {
    variants: variants.sort(byName),
    instructions: { size, sha256 },
    releaseTime: campaign.releaseTime,
  };
}

function measure(bytes: Uint8Array): { sha256: string; size: number } {
  return { sha256: sha256Hex(bytes), size: bytes.length };
}

export function withNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
