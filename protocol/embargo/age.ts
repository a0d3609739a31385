import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { ageRecipient } from '../encoding/shape.ts';
import { ProtocolError } from '../errors.ts';

const IDENTITY = /^AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}$/;

/** An age X25519 key: `identity` (`AGE-SECRET-KEY-1…`) opens what is sealed to `recipient` (`age1…`). */
export interface AgeKey {
  readonly identity: string;
  readonly recipient: string;
}

/** Make a fresh age X25519 key from the platform's secure randomness. */
export async function generateKey(): Promise<AgeKey> {
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}

/**
 * Compute the recipient that belongs to an identity.
 *
 * @param identity - `AGE-SECRET-KEY-1…`, upper case, native X25519 only: no plugin, no passphrase.
 * @throws {@link ProtocolError} `key_invalid` when it is anything else. The text is not repeated.
 */
export async function recipientOf(identity: string): Promise<string> {
  if (!IDENTITY.test(identity)) throw new ProtocolError('key_invalid', 'not an age identity');
  try {
    return await identityToRecipient(identity);
  } catch {
    throw new ProtocolError('key_invalid', 'age identity with a wrong checksum');
  }
}

/**
 * Encrypt to one or more recipients as an ordinary age file, readable by stock `age -d`.
 *
 * @param recipients - `age1…`, at least one. Anyone of them can open the file.
 * @throws {@link ProtocolError} `key_invalid` when one is not a native X25519 recipient.
 * @see https://age-encryption.org/v1
 */
export async function seal(
  plaintext: Uint8Array,
  recipients: readonly string[],
): Promise<Uint8Array> {
  if (recipients.length === 0) throw new ProtocolError('key_invalid', 'no age recipient');
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    if (!ageRecipient.safeParse(recipient).success) {
      throw new ProtocolError('key_invalid', 'not an age recipient');
    }
    try {
      encrypter.addRecipient(recipient);
    } catch {
      throw new ProtocolError('key_invalid', 'age recipient with a wrong checksum');
    }
  }
  return encrypter.encrypt(plaintext);
}

/**
 * Decrypt an age file: {@link open}, or a faster one that the platform has.
 *
 * @param identity - `AGE-SECRET-KEY-1…`.
 * @throws {@link ProtocolError} `key_invalid` for a malformed identity; `bundle_invalid` when the
 *   file is not age, was changed or cut, or is not sealed to this identity. Which of them it was is
 *   not told, and neither content nor key gets into the error.
 */
export type OpenAge = (ciphertext: Uint8Array, identity: string) => Promise<Uint8Array>;

/** {@link OpenAge} in plain JavaScript, for what is small. */
export const open: OpenAge = async (ciphertext, identity) => {
  await recipientOf(identity);
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  try {
    return await decrypter.decrypt(ciphertext);
  } catch {
    throw unopened();
  }
};

/** What {@link OpenAge} throws for every file that it does not open. */
export function unopened(): ProtocolError {
  return new ProtocolError('bundle_invalid', 'age file cannot be opened with this key');
}
