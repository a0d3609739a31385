import { bech32 } from '@scure/base';
import { signerFromSeed } from '../../../platform/ed25519.ts';
import { sha256, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import type { Signer } from '../../../protocol/signature/ed25519.ts';
import { noteSigner } from '../../../protocol/signature/note.ts';
import { NOTE_ED25519 } from '../../../protocol/signature/verifier-key.ts';
import { encodeTuf, signTuf } from '../../../protocol/trust/metadata.ts';
import { buildRootSigned } from '../../../protocol/trust/root-file.ts';
import type { Endorser, Officer, Reviewer, TrustRoot } from '../../../protocol/trust/root.ts';

export const NETWORK = 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d';
export const OTHER_NETWORK = 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG';
export const ORIGIN = 'sealdrop.example.org/solana';

/** The same key for the same name, always. */
export function signerNamed(name: string): Signer {
  return signerFromSeed(sha256(utf8Encode(`key of ${name}`)));
}

/** A well-formed age recipient for a name; nobody holds its identity. */
export function recipientNamed(name: string): string {
  return bech32.encodeFromBytes('age', sha256(utf8Encode(`age of ${name}`)));
}

/** Text with the outside of an armored key, which is all that a root looks at. */
export function armorNamed(name: string): string {
  const body = Buffer.from(`openpgp of ${name}`).toString('base64');
  return `-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n${body}\n-----END PGP PUBLIC KEY BLOCK-----\n`;
}

export function officerNamed(id: string): Officer {
  return {
    id,
    root: signerNamed(`${id} root`).publicKey,
    signing: signerNamed(`${id} signing`).publicKey,
    age: recipientNamed(id),
    openpgp: armorNamed(id),
  };
}

export function reviewerNamed(id: string): Reviewer {
  const key = signerNamed(`${id} review`).publicKey;
  return { id, name: `${id} Ltd`, key, age: recipientNamed(id) };
}

export function endorserNamed(id: string): Endorser {
  return { id, name: `Dr ${id}`, key: signerNamed(`${id} endorsement`).publicKey };
}

/** These firms and endorsers, one of whom it takes unless told otherwise. */
export function vouchersOf(
  firms: readonly string[],
  endorsers: readonly string[],
  endorsementThreshold = Math.min(1, endorsers.length),
): Pick<TrustRoot, 'reviewers' | 'endorsers' | 'endorsementThreshold'> {
  return {
    reviewers: new Map(firms.map((id) => [id, reviewerNamed(id)])),
    endorsers: new Map(endorsers.map((id) => [id, endorserNamed(id)])),
    endorsementThreshold,
  };
}

export const PEOPLE = ['ada', 'bo', 'cy'] as const;

/** Two of three officers decide, two of three shares open. */
export function rootOf(
  ids: readonly string[] = PEOPLE,
  changes: Partial<TrustRoot> = {},
): TrustRoot {
  const m = Math.floor(ids.length / 2) + 1;
  const { name, keyId, publicKey } = noteSigner(ORIGIN, signerNamed('log'));
  return {
    version: 1,
    expires: '2027-11-01T00:00:00Z',
    network: NETWORK,
    origin: ORIGIN,
    people: new Map(ids.map((id) => [id, officerNamed(id)])),
    directiveThreshold: m,
    shareThreshold: ids.length - m + 1,
    reviewers: new Map(),
    endorsers: new Map(),
    endorsementThreshold: 0,
    logKey: { name, keyId, publicKey, type: NOTE_ED25519 },
    tokenKey: signerNamed('token').publicKey,
    witnesses: [],
    snapshotKey: signerNamed('snapshot').publicKey,
    timestampKey: signerNamed('timestamp').publicKey,
    ...changes,
  };
}

export const rootSigners = (ids: readonly string[]): Signer[] =>
  ids.map((id) => signerNamed(`${id} root`));
export const signingSigners = (ids: readonly string[]): Signer[] =>
  ids.map((id) => signerNamed(`${id} signing`));

/** `root.json` of `root`, signed with the root keys of `ids`. */
export function rootFile(root: TrustRoot, ids: readonly string[]): Uint8Array {
  const signed = buildRootSigned(root);
  return encodeTuf(signed, signTuf(signed, ...rootSigners(ids)));
}
