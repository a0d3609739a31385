import { commitmentName, parseCommitment, verifyOpening } from '../commitment/commitment.ts';
import { documentDigest } from '../commitment/document.ts';
import type { Plan } from '../plan/plan.ts';
import { equalBytes, sha256Hex, sha256HexOfLarge } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import { open, seal, type OpenAge } from './age.ts';
import { parseRelease, releaseSums } from './release.ts';
import type { Release } from './release.ts';
import { findOfficerSignatures, officerSignatureFiles } from './sums-signatures.ts';
import type { SumsSignatures } from './sums-signatures.ts';
import { encodeSums, SUMS_NAME } from './sums.ts';
import { packFiles, unpackFiles } from './tar.ts';
import type { Files } from './tar.ts';

/** What one variant's operators get at T0, every byte of it checked. */
export interface Bundle {
  /** `release.txt`, `SHA256SUMS`, `INSTRUCTIONS.md` and this variant's artifacts. */
  readonly files: Files;
  /** What `release.txt` says, about all variants. */
  readonly release: Release;
}

/** What `approve` gathers after the bundles are sealed. Not yet verified: signatures only. */
export interface Signatures {
  /** `SHA256SUMS.asc`: one armoured block of detached OpenPGP signatures over `SHA256SUMS`. */
  readonly sums: Uint8Array;
  /** `release.intoto.json`: the officers' DSSE envelope. */
  readonly release: Uint8Array;
  /** `SHA256SUMS.<officer>.minisig` and `.sshsig`. */
  readonly byOfficer: SumsSignatures;
}

const SIGNATURE_NAMES = { sums: 'SHA256SUMS.asc', release: 'release.intoto.json' } as const;

/**
 * Seal files as a bundle: the one archive that stands for them, padded, as an age file.
 *
 * @param recipient - The plan's release recipient; the closing recipient for the closing bundle.
 * @throws {@link ProtocolError} `bundle_invalid`, `too_large`, `key_invalid`.
 */
export async function sealBundle(files: Files, recipient: string): Promise<Uint8Array> {
  return seal(await packFiles(files), [recipient]);
}

/**
 * Open one variant's bundle and check every byte of it against the plan.
 *
 * The plan commits to the ciphertext and to `release.txt`, which lists every file, so that no
 * second key can open it to something else and no file can be taken from another campaign.
 *
 * @param identity - The release key.
 * @param openAge - The platform's, where patches may be large.
 * @throws {@link ProtocolError} `commitment_mismatch` when ciphertext or `release.txt` are not those
 *   of the plan; `bundle_invalid` when a file is missing, changed or too many.
 */
export async function openBundle(
  ciphertext: Uint8Array,
  identity: string,
  plan: Plan,
  variant: string,
  openAge: OpenAge = open,
): Promise<Bundle> {
  const planned = plan.bundles.find((bundle) => bundle.variant === variant);
  if (planned === undefined) throw new ProtocolError('bundle_invalid', 'plan has no such variant');
  const files = await unpackFiles(await openPlanned(ciphertext, planned, identity, openAge));

  const release = verifyRelease(getFile(files, 'release.txt'), plan);
  const artifacts = release.variants.find(({ name }) => name === variant)?.artifacts;
  if (!artifacts) throw new ProtocolError('bundle_invalid', 'release has no such variant');
  const sums = encodeSums(releaseSums(release, documentDigest(getFile(files, 'release.txt'))));
  const contents = [{ name: 'INSTRUCTIONS.md', ...release.instructions }, ...artifacts];

  if (!equalBytes(getFile(files, SUMS_NAME), sums)) {
    throw new ProtocolError('bundle_invalid', 'SHA256SUMS does not say what release.txt says');
  }
  const checks = contents.map(async ({ name, size, sha256 }) => {
    const bytes = getFile(files, name);
    if (bytes.length === size && (await sha256HexOfLarge(bytes)) === sha256) return;
    throw new ProtocolError('bundle_invalid', 'a file is not the one that release.txt lists');
  });
  await Promise.all(checks);
  if (files.size !== contents.length + 2) {
    throw new ProtocolError('bundle_invalid', 'bundle holds a file that release.txt does not list');
  }
  return { files, release };
}

/**
 * Read `release.txt`, provided it is the one the plan commits to.
 *
 * @throws {@link ProtocolError} `commitment_mismatch`, `bundle_invalid` for another campaign's, or
 *   what {@link parseRelease} throws.
 */
export function verifyRelease(document: Uint8Array, plan: Plan): Release {
  const committed = plan.documents.find(({ name }) => name === 'release.txt');
  if (committed?.sha256 !== documentDigest(document)) {
    throw new ProtocolError('commitment_mismatch', 'release.txt is not the one committed to');
  }
  const { campaign, ...release } = parseRelease(document);
  if (campaign !== plan.campaign) {
    throw new ProtocolError('bundle_invalid', 'release.txt is of another campaign');
  }
  return release;
}

/** Every file that signs a release, by name, as they lie beside `SHA256SUMS`. */
export function signatureFiles({ sums, release, byOfficer }: Signatures): Files {
  return new Map([
    [SIGNATURE_NAMES.sums, sums],
    [SIGNATURE_NAMES.release, release],
    ...officerSignatureFiles(byOfficer),
  ]);
}

/**
 * Read the files that sign a release, the exact inverse of {@link signatureFiles}.
 *
 * @throws {@link ProtocolError} `bundle_invalid` for a file that is missing or too many.
 */
export function parseSignatureFiles(files: Files): Signatures {
  const byOfficer = findOfficerSignatures(files);
  if (files.size !== 2 + 2 * byOfficer.size) {
    throw new ProtocolError('bundle_invalid', 'not a bundle of signatures');
  }
  return {
    sums: getFile(files, SIGNATURE_NAMES.sums),
    release: getFile(files, SIGNATURE_NAMES.release),
    byOfficer,
  };
}

/** Seal the officers' signatures as the second age file, to the release recipient. */
export async function sealSignatures(
  signatures: Signatures,
  recipient: string,
): Promise<Uint8Array> {
  return sealBundle(signatureFiles(signatures), recipient);
}

/**
 * Open the second age file.
 *
 * The plan does not commit to it, so nothing here is to be believed before the signatures are
 * verified (`verifyDetached`, `verifyReleaseStatement`).
 *
 * @throws {@link ProtocolError} `bundle_invalid` unless it holds exactly the files that
 *   {@link sealSignatures} puts in.
 */
export async function openSignatures(
  ciphertext: Uint8Array,
  identity: string,
): Promise<Signatures> {
  return parseSignatureFiles(await unpackFiles(await open(ciphertext, identity)));
}

/**
 * Open the closing bundle: the plan's `COMMITMENT`, every document it lists, and those of every
 * revision before, so that one key opens all that was ever committed to.
 *
 * @param identity - The closing key.
 * @returns File name → exact committed bytes, `COMMITMENT` (of later revisions `COMMITMENT.r2` …)
 *   included; documents of earlier revisions as {@link earlierName} calls them.
 * @throws {@link ProtocolError} `commitment_mismatch` when a byte is not as committed to;
 *   `bundle_invalid` when a document is missing or too many.
 */
export async function openClosing(
  ciphertext: Uint8Array,
  identity: string,
  plan: Plan,
): Promise<Files> {
  const archive = await openPlanned(ciphertext, plan.closingBundle, identity, open);
  const files = await unpackFiles(archive);
  verifyDocuments(files, plan);
  return files;
}

/**
 * Check that `files` are the plan's `COMMITMENT` and exactly the documents it lists, and those of
 * every revision before.
 *
 * @throws {@link ProtocolError} as {@link openClosing} does.
 */
export function verifyDocuments(files: Files, plan: Plan): void {
  let listed = plan;
  let nameOf = (name: string): string => name;
  let total = 1;
  for (let revision = plan.revision; ; revision -= 1) {
    const list = getFile(files, commitmentName(revision));
    if (sha256Hex(list) !== listed.commitment) {
      throw new ProtocolError('commitment_mismatch', 'a COMMITMENT is not the one made public');
    }
    for (const { name, sha256 } of listed.documents) {
      verifyDocument(files, isList(name) ? name : nameOf(name), { ...listed, list, name, sha256 });
    }
    total += listed.documents.length;
    if (revision === 1) break;
    const before = listed.documents.find(({ name }) => name === commitmentName(revision - 1));
    if (before === undefined) {
      throw new ProtocolError('commitment_mismatch', 'a COMMITMENT lists none before it');
    }
    const documents = parseCommitment(getFile(files, before.name));
    listed = { ...plan, commitment: before.sha256, documents };
    nameOf = (name) => earlierName(revision - 1, name);
  }
  if (files.size !== total) {
    throw new ProtocolError('bundle_invalid', 'closing bundle holds a file that is not listed');
  }
}

/** What a document of an earlier revision is called in the closing bundle of a later one. */
export function earlierName(revision: number, name: string): string {
  return `r${revision}.${name}`;
}

const isList = (name: string): boolean => name.startsWith('COMMITMENT');

interface Listed {
  readonly campaign: string;
  readonly commitment: string;
  readonly list: Uint8Array;
  readonly name: string;
  readonly sha256: string;
}

function verifyDocument(
  files: Files,
  path: string,
  { campaign, commitment, list, name, sha256 }: Listed,
): void {
  const document = getFile(files, path);
  if (sha256Hex(document) !== sha256) {
    throw new ProtocolError('commitment_mismatch', `${path} is not the one committed to`);
  }
  // The list of the revision before is committed to as well, and is no sealed document.
  if (isList(name)) return;
  if (verifyOpening(commitment, list, name, document).campaign !== campaign) {
    throw new ProtocolError('bundle_invalid', `${path} is of another campaign`);
  }
}

/** Hash a ciphertext and decrypt it, which a platform with two cores does in one go. */
async function openPlanned(
  ciphertext: Uint8Array,
  planned: { readonly sha256: string; readonly size: number },
  identity: string,
  openAge: OpenAge,
): Promise<Uint8Array> {
  const [checked, opened] = await Promise.allSettled([
    checkCiphertext(ciphertext, planned),
    openAge(ciphertext, identity),
  ]);
  // Of a ciphertext that is not the planned one nothing else is told, and nothing comes out.
  if (checked.status === 'rejected') throw checked.reason;
  if (opened.status === 'rejected') throw opened.reason;
  return opened.value;
}

async function checkCiphertext(
  ciphertext: Uint8Array,
  { size, sha256 }: { readonly sha256: string; readonly size: number },
): Promise<void> {
  if (ciphertext.length !== size || (await sha256HexOfLarge(ciphertext)) !== sha256) {
    throw new ProtocolError('commitment_mismatch', 'ciphertext is not the one in the plan');
  }
}

function getFile(files: Files, name: string): Uint8Array {
  const bytes = files.get(name);
  if (bytes === undefined) throw new ProtocolError('bundle_invalid', 'a file is missing');
  return bytes;
}
