import * as openpgp from 'openpgp';
import type { PrivateKey, PublicKey } from 'openpgp';
import { ProtocolError } from '../errors.ts';
import { requireArmor } from './armor.ts';
import { verifySignature } from './detached.ts';
import type { OfficerKeys } from './detached.ts';
import { OPENPGP_CONFIG, readContactKey, readPublicKey } from './key.ts';

/** A message that an officer signed and that was encrypted to us. */
export interface SignedMessage {
  /** The officer, by the pinned key that verified. */
  readonly person: string;
  /** The exact signed bytes. */
  readonly content: Uint8Array;
  /** The time in the signature, Unix milliseconds. */
  readonly signedAt: number;
}

/** The longest armoured message, in characters. */
export const MAX_MESSAGE_CHARACTERS = 16 * 1024 * 1024;

const { packet: Tag } = openpgp.enums;
const MAX_RECIPIENTS = 16;

/**
 * Sign, then encrypt, as one OpenPGP message (RFC 3156, section 6.2).
 *
 * @param content - The bytes to protect. They are not compressed, so padding in them survives.
 * @param keys - `signing` armoured or read before; `recipient` as `readRecipientKey` returns it.
 * @param date - The time in the signature.
 * @throws {@link ProtocolError} `key_invalid` when either key cannot be used.
 */
export async function signAndEncrypt(
  content: Uint8Array,
  keys: { readonly signing: string | PrivateKey; readonly recipient: string | PublicKey },
  date: Date,
): Promise<string> {
  const { signing, recipient } = keys;
  const signingKeys = typeof signing === 'string' ? await readContactKey(signing) : signing;
  const encryptionKeys = typeof recipient === 'string' ? await readPublicKey(recipient) : recipient;
  const message = await openpgp.createMessage({ binary: content, date });
  const encrypted: unknown = await openpgp
    .encrypt({ message, encryptionKeys, signingKeys, date, config: OPENPGP_CONFIG })
    .catch(() => undefined);
  if (typeof encrypted !== 'string') {
    throw new ProtocolError('key_invalid', 'OpenPGP key cannot sign or be encrypted to');
  }
  return encrypted;
}

/**
 * Decrypt a message and verify that an officer signed it.
 *
 * Accepts only session keys for public keys, then one integrity-protected packet, and in it one
 * text with one signature. The signature is verified over the very bytes that are returned, as if
 * it were detached, so a second text in the message could never be taken for the signed one.
 *
 * @param armored - Untrusted: exactly one armoured block.
 * @param recipientKey - Our private key, armoured or read before.
 * @param officers - The pinned keys by full fingerprint.
 * @param now - No signature may be from later, five minutes for the clocks allowed.
 * @throws {@link ProtocolError} `message_invalid` for anything else, also above 16 MiB inside;
 *   `too_large`; `key_invalid` for a bad key of ours. Which check failed is told, content is not.
 */
export async function decryptAndVerify(
  armored: string,
  recipientKey: string | PrivateKey,
  officers: OfficerKeys,
  now: Date,
): Promise<SignedMessage> {
  const ours = typeof recipientKey === 'string' ? await readContactKey(recipientKey) : recipientKey;
  const message = await readEncrypted(armored);
  const decrypted: openpgp.DecryptMessageResult = await openpgp
    .decrypt({ message, decryptionKeys: ours, format: 'binary', config: OPENPGP_CONFIG })
    .catch(() => {
      throw refuse('cannot be decrypted with this key, or was changed');
    });
  const content: unknown = decrypted.data;
  const [found, ...others] = decrypted.signatures;
  const packet = (await found?.signature.catch(() => undefined))?.packets[0];
  if (!packet || others.length > 0 || !(content instanceof Uint8Array)) {
    throw refuse('does not carry exactly one signature');
  }
  const person = await verifySignature(content, packet, officers, now, 'message_invalid');
  return { person, content, signedAt: packet.created?.getTime() ?? NaN };
}

/** The library would as well decrypt with passphrases and without an integrity check. */
async function readEncrypted(armored: string): Promise<openpgp.Message<string>> {
  const block = requireArmor(armored, 'MESSAGE', MAX_MESSAGE_CHARACTERS, 'message_invalid');
  const message = await openpgp
    .readMessage({ armoredMessage: block, config: OPENPGP_CONFIG })
    .catch(() => {
      throw refuse('malformed');
    });
  const tags = message.packets.map((packet) => (packet.constructor as { tag?: number }).tag);
  const isEncrypted =
    tags.length >= 2 &&
    tags.length <= MAX_RECIPIENTS + 1 &&
    tags.pop() === Tag.symEncryptedIntegrityProtectedData &&
    tags.every((tag) => tag === Tag.publicKeyEncryptedSessionKey);
  if (!isEncrypted) throw refuse('not encrypted to a public key');
  return message;
}

function refuse(reason: string): ProtocolError {
  return new ProtocolError('message_invalid', `OpenPGP message: ${reason}`);
}
