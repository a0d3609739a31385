import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';

import { equalBytes, fromHex, toHex } from '../protocol/encoding/bytes.ts';
import {
  type Ed25519PublicKey,
  parseEd25519PublicKey,
  type Signer,
  type VerifyEd25519,
} from '../protocol/signature/ed25519.ts';

/** DER up to the 32 raw bytes (RFC 8410 §4 and §7); node:crypto imports no raw keys. */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The point (0, 1). OpenSSL compares R's encoding, so no other one of it can pass. */
const IDENTITY = Uint8Array.of(1, ...new Uint8Array(31));

/** Importing a key costs a third of a verification. The oldest is forgotten first. */
const MAX_IMPORTED_KEYS = 16_384;
const importedKeys = new Map<Ed25519PublicKey, KeyObject>();

/**
 * `VerifyEd25519` on OpenSSL, for server and CLI: the same verdict as `verifyWithNoble`, many
 * times as fast.
 *
 * OpenSSL uses the cofactorless equation, refuses S ≥ L, and compares R as bytes. On R = identity
 * its versions differ, so that is refused here.
 *
 * @throws {ProtocolError} `key_invalid`
 */
export const verifyEd25519: VerifyEd25519 = (publicKey, message, signature) => {
  const key = importKey(publicKey);
  if (signature.length !== 64) return false;
  if (equalBytes(signature.subarray(0, 32), IDENTITY)) return false;
  return verify(null, message, key, signature);
};

/** A signer whose key libraries of Node can use too, such as for a DPoP proof. */
export interface KeyedSigner extends Signer {
  readonly privateKey: KeyObject;
}

/** Make a signer of a 32-byte seed (RFC 8032 §5.1.5). Keeps the key in memory, outside the heap. */
export function signerFromSeed(seed: Uint8Array): KeyedSigner {
  if (seed.length !== 32) throw new RangeError('an Ed25519 seed has 32 bytes');
  const der = Buffer.concat([PKCS8_PREFIX, seed]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return {
    privateKey,
    // A multiple of the base point: what parseEd25519PublicKey would check holds by construction.
    publicKey: toHex(spki.subarray(SPKI_PREFIX.length)) as Ed25519PublicKey,
    sign: (message) => new Uint8Array(sign(null, message, privateKey)),
  };
}

/** Draw a new seed from the operating system. Secret: whoever has it can sign. */
export function generateSeed(): Uint8Array {
  return new Uint8Array(randomBytes(32));
}

function importKey(publicKey: Ed25519PublicKey): KeyObject {
  const imported = importedKeys.get(publicKey);
  if (imported !== undefined) return imported;

  const raw = fromHex(parseEd25519PublicKey(publicKey), 32);
  const der = Buffer.concat([SPKI_PREFIX, raw]);
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  const [oldest] = importedKeys.keys();
  if (oldest !== undefined && importedKeys.size >= MAX_IMPORTED_KEYS) importedKeys.delete(oldest);
  importedKeys.set(publicKey, key);
  return key;
}
