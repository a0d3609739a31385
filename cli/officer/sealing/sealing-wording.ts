import {
  commitmentDigest,
  commitmentName,
  encodeCommitment,
} from '../../../protocol/commitment/commitment.ts';
import {
  documentDigest,
  encodeDocument,
  parseDocument,
} from '../../../protocol/commitment/document.ts';
import { sealBundle } from '../../../protocol/embargo/bundle.ts';
import { openClosing } from '../../../protocol/embargo/closing-bundle.ts';
import type { Draft } from '../../../protocol/embargo/draft.ts';
import { readAccessKey, withAccessKey } from '../../../protocol/embargo/notice.ts';
import { encodeRelease } from '../../../protocol/embargo/release.ts';
import type { Files } from '../../../protocol/embargo/tar.ts';
import {
  equalBytes,
  sha256Hex,
  toHex,
  utf8Decode,
  utf8Encode,
} from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { encodePlan, parsePlan, type Plan } from '../../../protocol/plan/plan.ts';
import { UsageError } from '../../errors.ts';
import type { LintedCampaign } from '../lint/lint.ts';
import { earlierOf } from './earlier.ts';
import { releaseOf, withNewline, type SealedCampaign } from './sealing.ts';

/**
 * Seal the next revision of a campaign that is armed or released: another disclosure, and another
 * latest date for it. Notice, patch, keys and shares stay as operators and officers hold them.
 *
 * Bundles are not made anew, so that the result has none: the server has them.
 *
 * @param before - The revision in force.
 * @throws {@link ProtocolError} `plan_invalid` for another campaign; {@link UsageError} when more than
 *   the disclosure is new.
 */
export async function sealWording(
  { campaign, directory, snapshot }: LintedCampaign,
  before: Draft,
  random: (length: number) => Uint8Array,
): Promise<SealedCampaign> {
  const plan = parsePlan(before.plan);
  if (campaign.id !== plan.campaign) {
    throw new ProtocolError('plan_invalid', 'the draft is of another campaign');
  }
  await refuseOtherChanges(campaign, directory.files, before, plan);
  const nonce = (): string => toHex(random(32));
  const body = directory.files.get('disclosure.md');
  if (body === undefined) throw new Error('linting has seen every file');
  const { revision, entries, files } = earlierOf(before);
  const disclosure = encodeDocument({
    type: 'disclosure',
    campaign: campaign.id,
    nonce: nonce(),
    body,
  });
  const kept = [...before.documents].filter(([name]) =>
    plan.documents.some((it) => it.name === name && !name.startsWith('COMMITMENT')),
  );
  const documents = new Map([...kept, ['disclosure.md', disclosure] as const]);
  const listed = [
    ...entries,
    ...[...documents].map(([name, bytes]) => ({ name, sha256: documentDigest(bytes) })),
  ].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const list = encodeCommitment(listed);
  documents.set(commitmentName(revision), list);
  for (const [name, bytes] of files) documents.set(name, bytes);
  const closing = await sealBundle(documents, plan.closingRecipient);
  const revised: Plan = {
    ...plan,
    nonce: nonce(),
    revision,
    documents: listed,
    commitment: commitmentDigest(list),
    closingBundle: { sha256: sha256Hex(closing), size: closing.length },
    latestDisclosure: campaign.latestDisclosure,
  };
  const planBytes = encodePlan(revised);
  await openClosing(closing, before.closingKey, revised);
  const draft = { ...before, plan: planBytes, documents };
  return { plan: revised, planBytes, list, bundles: new Map(), closing, snapshot, draft };
}

/** What somebody changed in the folder and would not find in the revision is not left out in silence. */
async function refuseOtherChanges(
  campaign: LintedCampaign['campaign'],
  files: Files,
  { documents, artifacts: earlier }: Draft,
  plan: Plan,
): Promise<void> {
  const file = (name: string): Uint8Array => files.get(name) ?? new Uint8Array();
  const notice = documents.get('notice.txt') ?? new Uint8Array();
  const text = withNewline(utf8Decode(file('notice.md')));
  const body = utf8Encode(await withAccessKey(text, await readAccessKey(notice)));

  const artifacts = new Map(
    campaign.variants.flatMap(({ name, files: names }) =>
      names.map((artifact) => [artifact, file(`artifacts/${name}/${artifact}`)]),
    ),
  );
  const release = documents.get('release.txt') ?? new Uint8Array();
  const { nonce } = parseDocument(release);
  const contents = releaseOf(campaign, artifacts, file('INSTRUCTIONS.md'));
  const encoded = encodeRelease(contents, { campaign: campaign.id, nonce });
  const isSamePatch =
    equalBytes(encoded, release) &&
    [...artifacts].every(([name, bytes]) =>
      equalBytes(bytes, earlier.get(name) ?? new Uint8Array()),
    );
  const changed = [
    ...(equalBytes(body, parseDocument(notice).body) ? [] : ['notice.md']),
    ...(isSamePatch ? [] : ['the patch, INSTRUCTIONS.md or what campaign.json says of them']),
    ...(String(campaign.mirrors?.toSorted() ?? '') === String(plan.mirrors ?? '')
      ? []
      : ['mirrors']),
  ];
  if (changed.length === 0) return;
  throw new UsageError(
    `--wording brings another disclosure.md only, but this differs as well: ${changed.join('; ')}`,
    'put it back, or seal without --wording, which makes new keys and takes a new notice',
  );
}
