import { documentDigest } from '../commitment/document.ts';
import { equalBytes, sha256HexOfLarge } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import { open, seal, type OpenAge } from './age.ts';
import { parseRelease, releaseSums } from './release.ts';
import type { Release } from './release.ts';
import { encodeSums, SUMS_NAME } from './sums.ts';
import { getFile, packFiles, unpackFiles } from './tar.ts';
import type { Files } from './tar.ts';

/** What one variant's operators get at T0, every byte of it checked. */
export interface Bundle {
  /** `release.txt`, `SHA256SUMS`, `INSTRUCTIONS.md` and this variant's artifacts. */
  readonly files: Files;
  /** What `release.txt` says, about all variants. */
  readonly release: Release;
}

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

/**
 * Hash a ciphertext and decrypt it, which a platform with two cores does in one go.
 *
 * @param planned - What the plan says of it.
 * @returns The archive.
 * @throws {@link ProtocolError} `commitment_mismatch` for another ciphertext; `bundle_invalid` when it
 *   does not open.
 */
export async function openPlanned(
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
