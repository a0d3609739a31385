import * as openpgp from 'openpgp';
import { ProtocolError } from '../errors.ts';
import { CLOCK_SKEW_MS, fingerprintOf, OPENPGP_CONFIG, readPublicKey } from './key.ts';

/** An OpenPGP key pair, armoured. `fingerprint` is 40 upper-case hex digits. */
export interface ContactKey {
  readonly fingerprint: string;
  readonly publicKey: string;
  /** Not protected by a passphrase: where it is stored has to protect it. */
  readonly privateKey: string;
}

const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9 .,'-]{0,98}[A-Za-z0-9.])?$/;
const EMAIL = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}@[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/;

/**
 * Make a key for signing and receiving: version 4, legacy Ed25519 and X25519, the one kind that
 * gpg, sq and rnp all read.
 *
 * @param date - The creation time; the key is valid from then on and does not expire.
 * @throws {@link ProtocolError} `key_invalid` for a user id that is not a plain name and address.
 * @see RFC 9580, section 9.1 (algorithm 22, EdDSALegacy)
 */
export async function generateContactKey(
  userId: { readonly name: string; readonly email: string },
  date: Date,
): Promise<ContactKey> {
  const { name, email } = userId;
  if (!NAME.test(name) || !EMAIL.test(email)) {
    throw new ProtocolError('key_invalid', 'user id is not a plain name and mail address');
  }
  const { privateKey, publicKey } = await openpgp.generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: { name, email },
    date,
    format: 'object',
    config: OPENPGP_CONFIG,
  });
  return {
    fingerprint: fingerprintOf(publicKey),
    publicKey: publicKey.armor(OPENPGP_CONFIG),
    privateKey: privateKey.armor(OPENPGP_CONFIG),
  };
}

/**
 * Read a public key that mail can be encrypted to.
 *
 * @param armored - Untrusted: exactly one armoured public key, at most 64 KiB.
 * @param now - When it has to be usable, {@link CLOCK_SKEW_MS} allowed.
 * @returns The full fingerprint in upper-case hex, and the key armoured anew.
 * @throws {@link ProtocolError} `key_invalid` for a private key, several keys, any version but 4, a
 *   revoked or expired key, weak algorithms (RSA below 3072 bits, SHA-1), or no subkey to encrypt
 *   to; `too_large`.
 */
export async function readRecipientKey(
  armored: string,
  now: Date,
): Promise<{ fingerprint: string; armored: string }> {
  const key = await readPublicKey(armored);
  const date = new Date(now.getTime() + CLOCK_SKEW_MS);
  try {
    const subkey = await key.getEncryptionKey(undefined, date, undefined, OPENPGP_CONFIG);
    // A revocation made with a weak hash would not verify and so go unnoticed: any counts.
    if (key.revocationSignatures.length + subkey.revocationSignatures.length > 0) throw new Error();
  } catch {
    throw new ProtocolError('key_invalid', 'OpenPGP key cannot be encrypted to');
  }
  return { fingerprint: fingerprintOf(key), armored: key.armor(OPENPGP_CONFIG) };
}
