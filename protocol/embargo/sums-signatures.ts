import { utf8Decode, utf8Encode } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import type { Signer, VerifyEd25519 } from '../signature/ed25519.ts';
import { minisignKey, signMinisig, verifyMinisig } from '../signature/minisig.ts';
import { allowedSigner, signSshsig, verifySshsig } from '../signature/sshsig.ts';
import type { TrustRoot } from '../trust/root.ts';
import { SUMS_NAME } from './sums.ts';
import type { Files } from './tar.ts';

/**
 * One officer's signatures over `SHA256SUMS`, by their signing key, for stock tools. Both formats
 * hold one signature a file, so each officer has a pair: `SHA256SUMS.<officer>.minisig`, `.sshsig`.
 */
export interface OfficerSignatures {
  readonly minisig: Uint8Array;
  readonly sshsig: Uint8Array;
}

/** By officer. */
export type SumsSignatures = ReadonlyMap<string, OfficerSignatures>;

/** What the list is of. Signed along, so that no list passes for another campaign's. */
interface Subject {
  readonly campaign: string;
  readonly revision: number;
}

/** What `ssh-keygen -Y verify -n` is given. */
export const SSHSIG_NAMESPACE = 'sealdrop';

const NAME = /^SHA256SUMS\.([a-z0-9][a-z0-9-]{0,31})\.(minisig|sshsig)$/;

const minisigName = (officer: string): string => `${SUMS_NAME}.${officer}.minisig`;
const sshsigName = (officer: string): string => `${SUMS_NAME}.${officer}.sshsig`;

/** Sign `SHA256SUMS` for people who verify with minisign or ssh-keygen. */
export function signSums(sums: Uint8Array, subject: Subject, signer: Signer): OfficerSignatures {
  return {
    minisig: utf8Encode(signMinisig(sums, trustedComment(subject), signer)),
    sshsig: utf8Encode(signSshsig(sums, SSHSIG_NAMESPACE, signer)),
  };
}

/**
 * Verify every officer's pair. One that does not hold, or by somebody who is no officer, refuses
 * them all.
 *
 * @param sums - The bytes of `SHA256SUMS`.
 * @returns The distinct people who signed, sorted. How many it takes is for the caller.
 * @throws {@link ProtocolError} `signature_invalid`, `too_large`, `encoding_invalid`.
 */
export function verifySums(
  sums: Uint8Array,
  signatures: SumsSignatures,
  subject: Subject,
  root: Pick<TrustRoot, 'people'>,
  verify: VerifyEd25519,
): readonly string[] {
  for (const [officer, { minisig, sshsig }] of signatures) {
    const key = root.people.get(officer)?.signing;
    if (key === undefined) throw new ProtocolError('signature_invalid', 'not an officer');
    if (verifyMinisig(sums, utf8Decode(minisig), key, verify) !== trustedComment(subject)) {
      throw new ProtocolError('signature_invalid', `minisig of ${officer} is of another release`);
    }
    verifySshsig(sums, utf8Decode(sshsig), SSHSIG_NAMESPACE, key, verify);
  }
  // Officers have one signing key each, and no key has two officers: these are people.
  return [...signatures.keys()].sort();
}

/** The pairs as files, by name. */
export function officerSignatureFiles(signatures: SumsSignatures): Files {
  const officers = [...signatures].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(
    officers.flatMap(([officer, { minisig, sshsig }]) => [
      [minisigName(officer), minisig],
      [sshsigName(officer), sshsig],
    ]),
  );
}

/** Whether a file of this name is half of an officer's pair. */
export function isOfficerSignature(name: string): boolean {
  return NAME.test(name);
}

/**
 * Find the pairs among files. Nothing is verified here.
 *
 * @throws {@link ProtocolError} `bundle_invalid` for half a pair.
 */
export function findOfficerSignatures(files: Files): SumsSignatures {
  const officers = [...files.keys()].flatMap((name) => NAME.exec(name)?.[1] ?? []);
  return new Map(
    [...new Set(officers)].sort().map((officer) => {
      const [minisig, sshsig] = [files.get(minisigName(officer)), files.get(sshsigName(officer))];
      if (minisig === undefined || sshsig === undefined) {
        throw new ProtocolError('bundle_invalid', `one signature of ${officer} is missing`);
      }
      return [officer, { minisig, sshsig }];
    }),
  );
}

/** Officers' public keys as stock tools read them; they follow from the root, byte for byte. */
export interface OfficerKeyFiles {
  /** For `ssh-keygen -Y verify -f`: every officer under their id. */
  readonly allowedSigners: Uint8Array;
  /** By officer, for `minisign -p`. */
  readonly minisign: ReadonlyMap<string, Uint8Array>;
}

export function officerKeyFiles({ people }: Pick<TrustRoot, 'people'>): OfficerKeyFiles {
  const officers = [...people.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const lines = officers.map(({ id, signing }) => allowedSigner(id, SSHSIG_NAMESPACE, signing));
  return {
    allowedSigners: utf8Encode(lines.join('')),
    minisign: new Map(officers.map(({ id, signing }) => [id, utf8Encode(minisignKey(signing))])),
  };
}

/**
 * The same as files to lie beside `SHA256SUMS`: `SHA256SUMS.allowed_signers`, and per officer
 * `SHA256SUMS.<officer>.pub`.
 */
export function officerKeysBeside(root: Pick<TrustRoot, 'people'>): Files {
  const { allowedSigners, minisign } = officerKeyFiles(root);
  return new Map([
    [`${SUMS_NAME}.allowed_signers`, allowedSigners],
    ...[...minisign].map(([officer, key]) => [`${SUMS_NAME}.${officer}.pub`, key] as const),
  ]);
}

function trustedComment({ campaign, revision }: Subject): string {
  return `${SUMS_NAME} of ${campaign}, revision ${revision}`;
}
