import { commitmentName } from '../commitment/commitment.ts';
import { parseDocument } from '../commitment/document.ts';
import { equalBytes, utf8Decode } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import { KEY_NAMES } from '../plan/key-name.ts';
import type { KeyName } from '../plan/key-name.ts';
import { encodePlan } from '../plan/plan.ts';
import type { Plan } from '../plan/plan.ts';
import { findCustodyText, serverCustodyText } from '../plan/server-custody.ts';
import { keysOf } from '../plan/splits.ts';
import { open, recipientOf, type OpenAge } from './age.ts';
import { openBundle, verifyRelease } from './bundle.ts';
import { openClosing, verifyDocuments } from './closing-bundle.ts';
import type { Draft } from './draft.ts';
import { verifyLockedShare } from './locked-share.ts';
import { readAccessKey } from './notice.ts';
import { checkSplit, verifyPlannedShare } from './planned-shares.ts';
import type { OfficerShare, Share } from './share.ts';
import { SUMS_NAME } from './sums.ts';
import type { Files } from './tar.ts';

/** What the plan lets the server hold. */
export interface Ciphertexts {
  /** Variant → bundle. */
  readonly bundles: Files;
  readonly closing: Uint8Array;
}

/**
 * Check, before approving, that a draft is the whole truth about a plan and its ciphertext.
 *
 * Every document is the committed one; the keys are those of the plan's recipients; of every split
 * any t shares make the key and one fewer do not; and the ciphertexts open to exactly the files of
 * the draft, so that what was read is what operators will get. Every locked share names the round of
 * the plan and nobody else; what is inside no one can tell before that round.
 *
 * @param plan - The plan that the directive is about, from elsewhere than the draft.
 * @param ciphertexts - As the server holds them.
 * @param openAge - The platform's, where patches may be large.
 * @throws {@link ProtocolError} `plan_invalid`, `commitment_mismatch`, `bundle_invalid`,
 *   `share_invalid`, `timelock_invalid`, `key_mismatch` or `document_invalid`, for the first thing
 *   that does not hold.
 */
export async function checkDraft(
  draft: Draft,
  plan: Plan,
  ciphertexts: Ciphertexts,
  openAge: OpenAge = open,
): Promise<void> {
  if (!equalBytes(draft.plan, encodePlan(plan))) {
    throw new ProtocolError('plan_invalid', 'the draft is of another plan');
  }
  verifyDocuments(draft.documents, plan);
  checkNotice(draft.documents.get('notice.txt') ?? new Uint8Array(), plan);
  await checkKeys(draft, plan);
  for (const key of KEY_NAMES) {
    if (keysOf(plan).includes(key)) await checkShares(draft.shares[key], plan, key);
    else requireNone(draft.shares[key].length);
  }
  await checkLocks(draft.locked, plan);
  await checkBundles(draft, plan, ciphertexts.bundles, openAge);

  const closing = await openClosing(ciphertexts.closing, draft.closingKey, plan);
  const list = commitmentName(plan.revision);
  requireSame(closing.get(list), draft.documents.get(list));
}

/** What operators are told of the server's shares is what the plan says, also where that is nothing. */
function checkNotice(notice: Uint8Array, plan: Plan): void {
  const text = findCustodyText(utf8Decode(parseDocument(notice).body));
  if (text === serverCustodyText(plan)) return;
  throw new ProtocolError(
    'document_invalid',
    'the notice says something else than the plan of the shares that the server holds',
  );
}

async function checkKeys(draft: Draft, plan: Plan): Promise<void> {
  const notice = draft.documents.get('notice.txt');
  const accessKey = notice && (await readAccessKey(notice));
  const pairs = [
    [draft.releaseKey, plan.releaseRecipient],
    [draft.closingKey, plan.closingRecipient],
    [accessKey, plan.accessRecipient],
  ] as const;
  for (const [key, recipient] of pairs) {
    if (key === undefined || (await recipientOf(key)) !== recipient) {
      throw new ProtocolError('key_mismatch', 'a key of the draft is not that of the plan');
    }
  }
}

async function checkShares(
  documents: readonly OfficerShare[],
  plan: Plan,
  key: KeyName,
): Promise<void> {
  const shares: Share[] = [];
  for (const { officer } of plan.shares.filter((share) => share.key === key)) {
    const document = documents.find((share) => share.officer === officer)?.document;
    if (document === undefined) throw new ProtocolError('share_invalid', `no share for ${officer}`);
    shares.push(verifyPlannedShare(document, plan, key, officer));
  }
  requireNone(documents.length - shares.length);
  await checkSplit(shares, plan, key);
}

async function checkLocks(files: Files, plan: Plan): Promise<void> {
  const planned = plan.shares.filter(({ locked }) => locked !== undefined);
  for (const { officer } of planned) {
    await verifyLockedShare(files.get(officer) ?? new Uint8Array(), plan, officer);
  }
  requireNone(files.size - planned.length);
}

function requireNone(extra: number): void {
  if (extra === 0) return;
  throw new ProtocolError('share_invalid', 'a share that the plan does not know');
}

async function checkBundles(
  draft: Draft,
  plan: Plan,
  bundles: Files,
  openAge: OpenAge,
): Promise<void> {
  const release = verifyRelease(draft.documents.get('release.txt') ?? new Uint8Array(), plan);
  if (release.releaseTime !== plan.releaseTime) {
    throw new ProtocolError('plan_invalid', 'release.txt names another T0 than the plan');
  }
  const planned = plan.bundles.map(({ variant }) => variant).sort();
  if (planned.join() !== release.variants.map(({ name }) => name).join()) {
    throw new ProtocolError('plan_invalid', 'release.txt names other variants than the plan');
  }
  let artifacts = 0;
  for (const { name: variant, artifacts: listed } of release.variants) {
    const ciphertext = bundles.get(variant) ?? new Uint8Array();
    const { files } = await openBundle(ciphertext, draft.releaseKey, plan, variant, openAge);
    requireSame(files.get(SUMS_NAME), draft.sums);
    requireSame(files.get('INSTRUCTIONS.md'), draft.instructions);
    for (const { name } of listed) requireSame(files.get(name), draft.artifacts.get(name));
    artifacts += listed.length;
  }
  if (artifacts !== draft.artifacts.size) {
    throw new ProtocolError('bundle_invalid', 'draft holds an artifact that is in no bundle');
  }
}

function requireSame(sealed: Uint8Array | undefined, drafted: Uint8Array | undefined): void {
  if (!sealed || !drafted || !equalBytes(sealed, drafted)) {
    throw new ProtocolError('bundle_invalid', 'a bundle holds something else than the draft');
  }
}
