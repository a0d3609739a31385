import {
  concatBytes,
  fromBase64,
  fromHex,
  sha256,
  toBase64,
  toHex,
  utf8Encode,
} from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import { parseEd25519PublicKey, type Ed25519PublicKey } from './ed25519.ts';

/** Signature type of a log: Ed25519 over the note's text. */
export const NOTE_ED25519 = 0x01;
/** Signature type of a witness: Ed25519 over a time and the note's text. C2SP tlog-cosignature. */
export const NOTE_COSIGNATURE = 0x04;

/** Of every signature line, its first bytes. */
export const KEY_ID_BYTES = 4;

/** A key that signs notes, named as in a vkey. */
export interface NoteVerifier {
  /** Without space and `+`; for a log its origin. */
  readonly name: string;
  /** The first 32 bits of SHA-256 over name, type and key: a hint, not an identity. */
  readonly keyId: number;
  readonly type: typeof NOTE_ED25519 | typeof NOTE_COSIGNATURE;
  readonly publicKey: Ed25519PublicKey;
}

/**
 * Parse a vkey, `<name>+<key id, 8 hex digits>+<base64 of type and key>`. C2SP signed-note.
 *
 * @throws {@link ProtocolError} `key_invalid`, also for signature types other than `0x01` and `0x04`.
 */
export function parseVerifierKey(vkey: string): NoteVerifier {
  // The base64 part may contain `+` too.
  const parts = /^([^+]*)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/.exec(vkey);
  const [, name = '', , key = ''] = parts ?? [];
  const [type, ...publicKey] = key === '' ? [] : fromBase64(key);
  if (!isKeyName(name) || (type !== NOTE_ED25519 && type !== NOTE_COSIGNATURE)) {
    throw new ProtocolError('key_invalid', 'malformed verifier key');
  }
  const verifier = noteVerifier(
    name,
    type,
    parseEd25519PublicKey(toHex(Uint8Array.from(publicKey))),
  );
  if (formatVerifierKey(verifier.name, type, verifier.publicKey) !== vkey) {
    throw new ProtocolError('key_invalid', 'verifier key with a wrong key id');
  }
  return verifier;
}

/** Write a vkey; the exact inverse of {@link parseVerifierKey}. */
export function formatVerifierKey(
  name: string,
  type: NoteVerifier['type'],
  publicKey: Ed25519PublicKey,
): string {
  const key = concatBytes(Uint8Array.of(type), fromHex(publicKey, 32));
  return `${name}+${toHex(keyIdBytes(name, type, publicKey))}+${toBase64(key)}`;
}

/** A key under a name, with its key id. @throws {@link ProtocolError} `key_invalid` for a name with a space or `+`. */
export function noteVerifier(
  name: string,
  type: NoteVerifier['type'],
  publicKey: Ed25519PublicKey,
): NoteVerifier {
  if (!isKeyName(name)) throw new ProtocolError('key_invalid', 'malformed key name');
  return { name, keyId: readKeyId(keyIdBytes(name, type, publicKey)), type, publicKey };
}

/** The key id as it stands before a signature, {@link KEY_ID_BYTES} long. */
export function keyIdBytes(name: string, type: number, publicKey: Ed25519PublicKey): Uint8Array {
  const key = fromHex(publicKey, 32);
  return sha256(concatBytes(utf8Encode(`${name}\n`), Uint8Array.of(type), key)).subarray(
    0,
    KEY_ID_BYTES,
  );
}

/** The number that the first {@link KEY_ID_BYTES} bytes are. */
export function readKeyId(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

/**
 * Whether a key may have this name: not empty, no Unicode space (U+0085 is one that `\s` leaves out),
 * no `+`, no control character.
 */
export function isKeyName(name: string): boolean {
  return /^[^\s+\p{Cc}]+$/u.test(name) && name.isWellFormed();
}
