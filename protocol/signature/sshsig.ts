import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, fromBase64, fromHex, toBase64, utf8Encode } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import type { Ed25519PublicKey, Signer, VerifyEd25519 } from './ed25519.ts';

const MAGIC = utf8Encode('SSHSIG');
const VERSION = Uint8Array.of(0, 0, 0, 1);
const KEY_TYPE = utf8Encode('ssh-ed25519');
const HASH = utf8Encode('sha512');
const RESERVED = new Uint8Array();
const SIGNATURE_BYTES = 64;

const MAX_CHARACTERS = 1024;
const BEGIN = '-----BEGIN SSH SIGNATURE-----\n';
const END = '-----END SSH SIGNATURE-----\n';
/** Where ssh-keygen breaks lines. */
const LINE = 70;

/**
 * Sign exact bytes for `ssh-keygen -Y verify`.
 *
 * @param namespace - What the signature is for; part of what is signed.
 * @returns One armoured block.
 * @see PROTOCOL.sshsig of OpenSSH
 */
export function signSshsig(bytes: Uint8Array, namespace: string, signer: Signer): string {
  const signature = signer.sign(message(bytes, namespace));
  return format(signer.publicKey, namespace, signature);
}

/**
 * Verify what {@link signSshsig} makes: exactly one encoding, by exactly this key.
 *
 * @param text - Untrusted; at most 1,024 characters.
 * @returns The key.
 * @throws {@link ProtocolError} `signature_invalid`, `too_large`; `key_invalid`.
 */
export function verifySshsig(
  bytes: Uint8Array,
  text: string,
  namespace: string,
  publicKey: Ed25519PublicKey,
  verify: VerifyEd25519,
): Ed25519PublicKey {
  if (text.length > MAX_CHARACTERS) throw new ProtocolError('too_large', 'sshsig is too long');
  const signature = decode(text).slice(-SIGNATURE_BYTES);
  // All but the signature follows from key and namespace.
  if (text !== format(publicKey, namespace, signature)) {
    throw new ProtocolError('signature_invalid', 'not an sshsig by this key for this purpose');
  }
  if (!verify(publicKey, message(bytes, namespace), signature)) {
    throw new ProtocolError('signature_invalid', 'sshsig does not verify');
  }
  return publicKey;
}

/** One line of an `allowed_signers` file. @param principal - Without space, quote or comma. */
export function allowedSigner(
  principal: string,
  namespace: string,
  publicKey: Ed25519PublicKey,
): string {
  return `${principal} namespaces="${namespace}" ssh-ed25519 ${toBase64(keyBlob(publicKey))}\n`;
}

/** What is signed. The magic at its start sets it apart from whatever else the key signs. */
function message(bytes: Uint8Array, namespace: string): Uint8Array {
  const name = utf8Encode(namespace);
  return concatBytes(MAGIC, ...[name, RESERVED, HASH, sha512(bytes)].map(sshString));
}

function format(publicKey: Ed25519PublicKey, namespace: string, signature: Uint8Array): string {
  const signed = concatBytes(sshString(KEY_TYPE), sshString(signature));
  const fields = [keyBlob(publicKey), utf8Encode(namespace), RESERVED, HASH, signed];
  const base64 = toBase64(concatBytes(MAGIC, VERSION, ...fields.map(sshString)));
  return `${BEGIN}${base64.replaceAll(new RegExp(`.{1,${LINE}}`, 'g'), '$&\n')}${END}`;
}

function keyBlob(publicKey: Ed25519PublicKey): Uint8Array {
  return concatBytes(sshString(KEY_TYPE), sshString(fromHex(publicKey, 32)));
}

/** RFC 4251 §5: length as uint32, then the bytes. */
function sshString(bytes: Uint8Array): Uint8Array {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return concatBytes(length, bytes);
}

function decode(text: string): Uint8Array {
  try {
    return fromBase64(text.slice(BEGIN.length, -END.length).replaceAll('\n', ''));
  } catch {
    throw new ProtocolError('signature_invalid', 'sshsig is not canonical base64');
  }
}
