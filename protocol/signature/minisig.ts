import { blake2b } from '@noble/hashes/blake2.js';
import {
  concatBytes,
  fromBase64,
  fromHex,
  sha256,
  toBase64,
  utf8Encode,
} from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import type { Ed25519PublicKey, Signer, VerifyEd25519 } from './ed25519.ts';

/** Algorithm of a signature over the file's BLAKE2b-512. The legacy `Ed` signs raw bytes: never. */
const PREHASHED = utf8Encode('ED');
/** Algorithm of a public key. */
const ED25519 = utf8Encode('Ed');
const KEY_NUMBER_BYTES = 8;

const MAX_CHARACTERS = 1024;
/** What nobody signs: one text, so that a file has no room for words that look signed. */
const UNTRUSTED = 'untrusted comment: signature by an officer';
const TRUSTED = 'trusted comment: ';
const COMMENT = /^[!-~](?:[ -~]{0,198}[!-~])?$/;

/**
 * Sign exact bytes for `minisign -V`, prehashed.
 *
 * The key signs two messages: the 64 bytes of BLAKE2b-512, and its signature followed by the
 * trusted comment. Why neither can be taken for another message of the key: docs/adr/0010.
 *
 * @param comment - The trusted comment: 1 to 200 characters of printable ASCII.
 * @returns Four lines, see {@link verifyMinisig}.
 * @throws {@link ProtocolError} `encoding_invalid` for another comment.
 * @see https://jedisct1.github.io/minisign/, "Signature format"
 */
export function signMinisig(bytes: Uint8Array, comment: string, signer: Signer): string {
  if (!COMMENT.test(comment)) {
    throw new ProtocolError('encoding_invalid', 'a trusted comment is one line of ASCII');
  }
  const signature = signer.sign(blake2b(bytes));
  const global = signer.sign(concatBytes(signature, utf8Encode(comment)));
  return format(signer.publicKey, signature, comment, global);
}

/**
 * Verify what {@link signMinisig} makes, and nothing else that minisign would take: neither legacy
 * signatures nor another untrusted comment.
 *
 * @param text - Untrusted; at most 1,024 characters.
 * @returns The trusted comment. Whether it is about these bytes is for the caller to compare.
 * @throws {@link ProtocolError} `signature_invalid`, `too_large`; `key_invalid`.
 */
export function verifyMinisig(
  bytes: Uint8Array,
  text: string,
  publicKey: Ed25519PublicKey,
  verify: VerifyEd25519,
): string {
  if (text.length > MAX_CHARACTERS) throw new ProtocolError('too_large', 'minisig is too long');
  const [, first = '', trusted = '', second = ''] = text.split('\n');
  const comment = trusted.slice(TRUSTED.length);
  const signature = decode(first).subarray(PREHASHED.length + KEY_NUMBER_BYTES);
  const global = decode(second);
  // Algorithm, key number, lengths and both comments have one encoding.
  if (!COMMENT.test(comment) || text !== format(publicKey, signature, comment, global)) {
    throw new ProtocolError('signature_invalid', 'not a prehashed minisig by this key');
  }
  const isGood =
    verify(publicKey, blake2b(bytes), signature) &&
    verify(publicKey, concatBytes(signature, utf8Encode(comment)), global);
  if (!isGood) throw new ProtocolError('signature_invalid', 'minisig does not verify');
  return comment;
}

/** A public key as the file that `minisign -p` reads; its second line is what `-P` takes. */
export function minisignKey(publicKey: Ed25519PublicKey): string {
  const key = concatBytes(ED25519, keyNumber(publicKey), fromHex(publicKey, 32));
  return `untrusted comment: public key of an officer\n${toBase64(key)}\n`;
}

/** minisign's key number only says which key to try, so it is derived instead of drawn. */
function keyNumber(publicKey: Ed25519PublicKey): Uint8Array {
  return sha256(fromHex(publicKey, 32)).subarray(0, KEY_NUMBER_BYTES);
}

function format(
  publicKey: Ed25519PublicKey,
  signature: Uint8Array,
  comment: string,
  global: Uint8Array,
): string {
  const first = toBase64(concatBytes(PREHASHED, keyNumber(publicKey), signature));
  return `${UNTRUSTED}\n${first}\n${TRUSTED}${comment}\n${toBase64(global)}\n`;
}

function decode(line: string): Uint8Array {
  try {
    return fromBase64(line);
  } catch {
    throw new ProtocolError('signature_invalid', 'minisig is not canonical base64');
  }
}
