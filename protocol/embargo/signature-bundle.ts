import { ProtocolError } from '../errors.ts';
import { open } from './age.ts';
import { sealBundle } from './bundle.ts';
import { findOfficerSignatures, officerSignatureFiles } from './sums-signatures.ts';
import type { SumsSignatures } from './sums-signatures.ts';
import { getFile, unpackFiles } from './tar.ts';
import type { Files } from './tar.ts';

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
