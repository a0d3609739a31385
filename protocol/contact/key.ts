import * as openpgp from 'openpgp';
import type { PrivateKey, PublicKey } from 'openpgp';
import { ProtocolError } from '../errors.ts';
import { requireArmor } from './armor.ts';

/** How far the clocks of two honest machines may be apart. */
export const CLOCK_SKEW_MS = 5 * 60 * 1000;

const MAX_KEY_CHARACTERS = 64 * 1024;

/** What the library is told on every call, so that no global setting of it matters. */
export const OPENPGP_CONFIG: openpgp.Config = {
  ...openpgp.config,
  v6Keys: false,
  aeadProtect: false,
  enforceGrammar: true,
  allowUnauthenticatedMessages: false,
  allowUnauthenticatedStream: false,
  allowInsecureDecryptionWithSigningKeys: false,
  allowInsecureVerificationWithReformattedKeys: false,
  allowMissingKeyFlags: false,
  preferredCompressionAlgorithm: openpgp.enums.compression.uncompressed,
  maxDecompressedMessageSize: 16 * 1024 * 1024,
  maxArgon2MemoryExponent: 16,
  // One bit less, because the top bit of an honest 3072-bit modulus may be zero.
  minRSABits: 3071,
  rejectHashAlgorithms: weakHashes(),
  rejectMessageHashAlgorithms: weakHashes(),
  showVersion: false,
  showComment: false,
};

/**
 * Read a public key. Whether it may be used, and for what, is for the caller to check.
 *
 * @param armored - Untrusted: exactly one armoured public key, at most 64 KiB.
 * @throws {@link ProtocolError} `key_invalid` for a private key, several keys, or any version but 4;
 *   `too_large`.
 */
export async function readPublicKey(armored: string): Promise<PublicKey> {
  const block = requireArmor(armored, 'PUBLIC KEY BLOCK', MAX_KEY_CHARACTERS, 'key_invalid');
  const keys = await openpgp
    .readKeys({ armoredKeys: block, config: OPENPGP_CONFIG })
    .catch(() => []);
  const [key, ...others] = keys;
  const isPublic = key instanceof openpgp.PublicKey && !key.isPrivate();
  if (!isPublic || others.length > 0 || key.keyPacket.version !== 4) {
    throw new ProtocolError('key_invalid', 'not one OpenPGP v4 public key');
  }
  return key;
}

/**
 * Read a private key of ours. Reading takes time, so do it once and pass the result around.
 *
 * @throws {@link ProtocolError} `key_invalid`; nothing of the key gets into the error.
 */
export async function readContactKey(armored: string): Promise<PrivateKey> {
  const block = requireArmor(armored, 'PRIVATE KEY BLOCK', MAX_KEY_CHARACTERS, 'key_invalid');
  const keys = await openpgp
    .readPrivateKeys({ armoredKeys: block, config: OPENPGP_CONFIG })
    .catch(() => []);
  const [key, ...others] = keys;
  if (!key?.isDecrypted() || others.length > 0 || key.keyPacket.version !== 4) {
    throw new ProtocolError('key_invalid', 'not one OpenPGP v4 private key without passphrase');
  }
  return key;
}

/** The full fingerprint, 40 upper-case hex digits. */
export function fingerprintOf(key: PublicKey): string {
  return key.getFingerprint().toUpperCase();
}

function weakHashes(): Set<openpgp.enums.hash> {
  const { md5, ripemd, sha1 } = openpgp.enums.hash;
  return new Set([md5, ripemd, sha1]);
}
