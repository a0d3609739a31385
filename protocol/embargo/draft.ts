import { commitmentName } from '../commitment/commitment.ts';
import { parseDocument } from '../commitment/document.ts';
import { encodePlan } from '../plan/plan.ts';
import { keysOf } from '../plan/splits.ts';
import type { Plan } from '../plan/plan.ts';
import { findCustodyText, serverCustodyText } from '../plan/server-custody.ts';
import { equalBytes, utf8Decode, utf8Encode } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import { open, recipientOf, seal, type OpenAge } from './age.ts';
import { openBundle, openClosing, verifyDocuments, verifyRelease } from './bundle.ts';
import { readAccessKey } from './notice.ts';
import { verifyLockedShare } from './locked-share.ts';
import { checkSplit, verifyPlannedShare } from './share.ts';
import { KEY_NAMES } from '../plan/key-name.ts';
import type { KeyName } from '../plan/key-name.ts';
import type { OfficerShare, Share } from './share.ts';
import { SUMS_NAME } from './sums.ts';
import { packFiles, unpackFiles } from './tar.ts';
import type { Files } from './tar.ts';

/** A campaign in plaintext, as officers hand it to each other. It never goes through the server. */
export interface Draft {
  /** `plan.txt` */
  readonly plan: Uint8Array;
  /** `COMMITMENT` (of later revisions `COMMITMENT.r2` …) and every document it lists, by name. */
  readonly documents: Files;
  /** `SHA256SUMS` */
  readonly sums: Uint8Array;
  /** `INSTRUCTIONS.md` */
  readonly instructions: Uint8Array;
  /** The artifacts of all variants, by name. */
  readonly artifacts: Files;
  /** age identities of the release and the closing key. */
  readonly releaseKey: string;
  readonly closingKey: string;
  /** The share documents of every split; none of a split that the plan does not have. */
  readonly shares: Readonly<Record<KeyName, readonly OfficerShare[]>>;
  /** With a time-lock, the files in which the release shares are locked, by officer. */
  readonly locked: Files;
}

/** What the plan lets the server hold. */
export interface Ciphertexts {
  /** Variant → bundle. */
  readonly bundles: Files;
  readonly closing: Uint8Array;
}

const ARTIFACT_PREFIX = 'artifact.';
const LOCKED_PREFIX = 'locked.';
const FIXED = ['plan.txt', SUMS_NAME, 'INSTRUCTIONS.md', 'release.key', 'closing.key'] as const;

const sharePrefix = (key: KeyName): string => `share.${key}.`;

/**
 * Seal a draft for officers as an age file.
 *
 * @param recipients - The officers' own age recipients.
 * @throws {@link ProtocolError} `bundle_invalid` when two files would have one name; `key_invalid`.
 */
export async function packDraft(draft: Draft, recipients: readonly string[]): Promise<Uint8Array> {
  const entries: (readonly [string, Uint8Array])[] = [
    ['plan.txt', draft.plan],
    [SUMS_NAME, draft.sums],
    ['INSTRUCTIONS.md', draft.instructions],
    ['release.key', utf8Encode(`${draft.releaseKey}\n`)],
    ['closing.key', utf8Encode(`${draft.closingKey}\n`)],
    ...draft.documents,
  ];
  for (const [name, bytes] of draft.artifacts) entries.push([ARTIFACT_PREFIX + name, bytes]);
  for (const key of KEY_NAMES) {
    for (const { officer, document } of draft.shares[key]) {
      entries.push([sharePrefix(key) + officer, document]);
    }
  }
  for (const [officer, bytes] of draft.locked) entries.push([LOCKED_PREFIX + officer, bytes]);
  const files = new Map(entries);
  if (files.size !== entries.length) {
    throw new ProtocolError('bundle_invalid', 'two files of the draft have one name');
  }
  return seal(await packFiles(files), recipients);
}

/**
 * Open a draft with an officer's own age identity. What is in it is believed only after
 * {@link checkDraft}.
 *
 * @throws {@link ProtocolError} `bundle_invalid` when it does not open or a file is missing.
 */
export async function openDraft(ciphertext: Uint8Array, identity: string): Promise<Draft> {
  const files = await unpackFiles(await open(ciphertext, identity));
  const [plan, sums, instructions, releaseKey, closingKey] = FIXED.map((name) => take(files, name));
  const artifacts = takePrefixed(files, ARTIFACT_PREFIX);
  const sharesOf = (key: KeyName): OfficerShare[] =>
    [...takePrefixed(files, sharePrefix(key))].map(([officer, document]) => ({
      officer,
      document,
    }));
  const shares = {
    release: sharesOf('release'),
    closing: sharesOf('closing'),
    'break-glass': sharesOf('break-glass'),
  };
  const locked = takePrefixed(files, LOCKED_PREFIX);
  if (!plan || !sums || !instructions || !releaseKey || !closingKey) {
    throw new ProtocolError('bundle_invalid', 'a file of the draft is missing');
  }
  return {
    plan,
    documents: files,
    sums,
    instructions,
    artifacts,
    releaseKey: utf8Decode(releaseKey).trimEnd(),
    closingKey: utf8Decode(closingKey).trimEnd(),
    shares,
    locked,
  };
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

function take(files: Map<string, Uint8Array>, name: string): Uint8Array | undefined {
  const bytes = files.get(name);
  files.delete(name);
  return bytes;
}

function takePrefixed(files: Map<string, Uint8Array>, prefix: string): Map<string, Uint8Array> {
  const taken = new Map<string, Uint8Array>();
  for (const [name, bytes] of files) {
    if (!name.startsWith(prefix)) continue;
    taken.set(name.slice(prefix.length), bytes);
    files.delete(name);
  }
  return taken;
}
