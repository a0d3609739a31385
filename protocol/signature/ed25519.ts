import * as noble from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import sodium from 'libsodium-wrappers-sumo';

import { fromHex } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';

noble.hashes.sha512 = sha512;
await sodium.ready;

/** A public key as 64 lower-case hex digits; also its key id. Made by {@link parseEd25519PublicKey}. */
export type Ed25519PublicKey = string & { readonly __brand: 'Ed25519PublicKey' };

/**
 * Tell whether `signature` over `message` is by `publicKey`. The one verdict of the product.
 *
 * Two verifiers that disagree could be made to count different stake, so this is the rule for all:
 *
 * 1. the public key A passes {@link parseEd25519PublicKey}, else `key_invalid` is thrown;
 * 2. the signature is 64 bytes, R then S, both little-endian, and S < L;
 * 3. R is the canonical encoding of a point other than the identity;
 * 4. `[S]B = R + [SHA-512(R ‖ A ‖ message)]A`, without cofactor.
 *
 * By 1 and 4, R has no small-order part. The identity needs its own rule: whoever holds the key can
 * sign with it, and implementations differ on it.
 *
 * @see docs/spec/signatures.md, "Ed25519"
 */
export type VerifyEd25519 = (
  publicKey: Ed25519PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
) => boolean;

/** Whoever can sign with one key. Where the secret half lives is the implementation's business. */
export interface Signer {
  readonly publicKey: Ed25519PublicKey;
  /** Sign exactly `message`; 64 bytes, deterministic (RFC 8032 §5.1.6). */
  sign(message: Uint8Array): Uint8Array;
}

/** The check costs more than a signature's, so keys found good are remembered, the oldest forgotten. */
const MAX_REMEMBERED_KEYS = 65_536;
const goodKeys = new Set<string>();

/**
 * Accept a public key for use: the canonical encoding of a point on the curve that has no
 * small-order part and is not the identity.
 *
 * @throws {@link ProtocolError} `key_invalid`
 */
export function parseEd25519PublicKey(hex: string): Ed25519PublicKey {
  if (!goodKeys.has(hex)) {
    if (!isGoodPublicKey(hex)) throw new ProtocolError('key_invalid', 'not an Ed25519 public key');
    const [oldest] = goodKeys;
    if (oldest !== undefined && goodKeys.size >= MAX_REMEMBERED_KEYS) goodKeys.delete(oldest);
    goodKeys.add(hex);
  }
  return hex as Ed25519PublicKey;
}

/**
 * {@link VerifyEd25519} in plain JavaScript, for browsers and tests.
 *
 * noble multiplies its equation by the cofactor. With neither A nor R having a small-order part
 * that changes nothing, so both are checked for it.
 */
export const verifyWithNoble: VerifyEd25519 = (publicKey, message, signature) => {
  const key = fromHex(parseEd25519PublicKey(publicKey), 32);
  if (signature.length !== 64) return false;
  return (
    noble.verify(signature, message, key, { zip215: false }) &&
    isTorsionFree(signature.subarray(0, 32))
  );
};

function isGoodPublicKey(hex: string): boolean {
  // libsodium's rule is ours; noble comes to the same verdict in ten times the time (see the tests).
  return /^[0-9a-f]{64}$/.test(hex) && sodium.crypto_core_ed25519_is_valid_point(fromHex(hex, 32));
}

/** Canonical encoding of a point of the large prime-order subgroup, the identity excluded. */
function isTorsionFree(encoded: Uint8Array): boolean {
  try {
    const point = noble.Point.fromBytes(encoded, false);
    return !point.is0() && point.isTorsionFree();
  } catch {
    return false;
  }
}
