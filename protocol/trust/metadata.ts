import { canonicalize } from '@tufjs/canonical-json';
import { z } from 'zod';
import { equalBytes, fromHex, sha256Hex, toHex, utf8Encode } from '../encoding/bytes.ts';
import { encodeJson, parseJson } from '../encoding/json.ts';
import { hex64, parseShape } from '../encoding/shape.ts';
import { ProtocolError } from '../errors.ts';
import type { Ed25519PublicKey, Signer, VerifyEd25519 } from '../signature/ed25519.ts';

/** The version of the specification that every file names. */
export const TUF_SPEC_VERSION = '1.0.34';

/** What a TUF client reads at most of a root; no file of ours comes near it. */
const MAX_METADATA_BYTES = 512_000;

/** A signature over {@link tufSigningBytes}: key id (32 bytes) and signature (64 bytes) in hex. */
export interface TufSignature {
  readonly keyid: string;
  readonly sig: string;
}

const metadataShape = z.strictObject({
  signatures: z
    .array(z.strictObject({ keyid: hex64, sig: z.string().regex(/^[0-9a-f]{128}$/) }))
    .max(64),
  signed: z.record(z.string(), z.unknown()),
});

/** A public key the way TUF writes it. */
export function tufKey(publicKey: Ed25519PublicKey): object {
  return { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: publicKey } };
}

/** SHA-256 of the canonical JSON of {@link tufKey}, lower-case hex. */
export function tufKeyId(publicKey: Ed25519PublicKey): string {
  return sha256Hex(tufSigningBytes(tufKey(publicKey)));
}

/**
 * Canonical JSON (OLPC), the bytes that a TUF signature is over.
 *
 * @param signed - Plain data without fractions, member names in ASCII.
 */
export function tufSigningBytes(signed: object): Uint8Array {
  return utf8Encode(canonicalize(signed));
}

/** Sign the `signed` part of a metadata file with every one of `signers`. */
export function signTuf(signed: object, ...signers: readonly Signer[]): readonly TufSignature[] {
  const bytes = tufSigningBytes(signed);
  return signers.map((signer) => ({
    keyid: tufKeyId(signer.publicKey),
    sig: toHex(signer.sign(bytes)),
  }));
}

/** Write a metadata file, signatures sorted by key id. */
export function encodeTuf(signed: object, signatures: readonly TufSignature[]): Uint8Array {
  const sorted = signatures.toSorted((a, b) => (a.keyid < b.keyid ? -1 : 1));
  return encodeJson({ signatures: sorted, signed });
}

/**
 * Join the signatures of two files over the same content. Verifies nothing: a bad signature makes
 * the whole file fail, so verify each part before merging.
 *
 * @throws {@link ProtocolError} `trust_invalid` when the content differs.
 */
export function mergeTuf(a: Uint8Array, b: Uint8Array): Uint8Array {
  const [first, second] = [parseTuf(a), parseTuf(b)];
  if (!isSameTuf(a, b)) {
    throw new ProtocolError('trust_invalid', 'the files are not over the same metadata');
  }
  const known = new Set(first.signatures.map(({ keyid }) => keyid));
  const added = second.signatures.filter(({ keyid }) => !known.has(keyid));
  return encodeTuf(first.signed, [...first.signatures, ...added]);
}

/**
 * Read the outside of a metadata file: signatures, not yet verified, and what they are over.
 *
 * @throws {@link ProtocolError} `too_large`, `encoding_invalid`; `trust_invalid` for another shape
 *   or two signatures under one key id.
 */
export function parseTuf(bytes: Uint8Array): {
  readonly signed: object;
  readonly signatures: readonly TufSignature[];
} {
  const json = parseJson(bytes, MAX_METADATA_BYTES);
  const { signed, signatures } = parseShape(metadataShape, json, 'trust_invalid', 'metadata');
  if (new Set(signatures.map(({ keyid }) => keyid)).size !== signatures.length) {
    throw new ProtocolError('trust_invalid', 'two signatures under one key id');
  }
  return { signed, signatures };
}

/** Whether two files are over the same content, whoever signed them and however they are spelt. */
export function isSameTuf(a: Uint8Array, b: Uint8Array): boolean {
  return equalBytes(tufSigningBytes(parseTuf(a).signed), tufSigningBytes(parseTuf(b).signed));
}

/**
 * Verify every signature of a metadata file.
 *
 * Strict: one by a key without a say, or one that does not verify, refuses the file.
 *
 * @param keys - Keys that have a say.
 * @returns The keys that signed; how many people that is, is the caller's to count.
 * @throws {@link ProtocolError} `signature_invalid`
 */
export function verifyTufSignatures(
  { signed, signatures }: ReturnType<typeof parseTuf>,
  verify: VerifyEd25519,
  keys: Iterable<Ed25519PublicKey>,
): ReadonlySet<Ed25519PublicKey> {
  const keyOf = new Map([...keys].map((key) => [tufKeyId(key), key]));
  const bytes = tufSigningBytes(signed);
  const signers = new Set<Ed25519PublicKey>();
  for (const { keyid, sig } of signatures) {
    const key = keyOf.get(keyid);
    if (key === undefined || !verify(key, bytes, fromHex(sig, 64))) {
      throw new ProtocolError('signature_invalid', 'metadata with a signature that has no say');
    }
    signers.add(key);
  }
  return signers;
}

/**
 * Check that enough distinct people are behind a set of keys.
 *
 * @param people - Keys of one role, each with the person it belongs to.
 * @returns The people, sorted.
 * @throws {@link ProtocolError} `threshold_unmet`
 */
export function countPeople(
  signers: ReadonlySet<Ed25519PublicKey>,
  people: ReadonlyMap<Ed25519PublicKey, string>,
  threshold: number,
): readonly string[] {
  const signed = new Set([...people].filter(([key]) => signers.has(key)).map(([, id]) => id));
  if (signed.size < threshold) {
    throw new ProtocolError(
      'threshold_unmet',
      `signed by ${signed.size} of the ${threshold} people needed`,
    );
  }
  return [...signed].sort();
}
