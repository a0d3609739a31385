import {
  commitmentDigest,
  commitmentName,
  encodeCommitment,
} from '../../protocol/campaign/commitment.ts';
import { documentDigest, encodeDocument } from '../../protocol/campaign/document.ts';
import { encodePlan, parsePlan, type Plan } from '../../protocol/campaign/plan.ts';
import { openClosing, sealBundle } from '../../protocol/embargo/bundle.ts';
import type { Draft } from '../../protocol/embargo/draft.ts';
import { sha256Hex, toHex } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { earlierOf } from './earlier.ts';
import type { LintedCampaign } from './lint.ts';
import type { SealedCampaign } from './sealing.ts';

/**
 * Seal the next revision of a campaign that is armed or released: another disclosure, and another
 * latest date for it. Notice, patch, keys and shares stay as operators and officers hold them.
 *
 * Bundles are not made anew, so that the result has none: the server has them.
 *
 * @param before - The revision in force.
 * @throws {@link ProtocolError} `plan_invalid` for another campaign, or when nothing is new.
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
