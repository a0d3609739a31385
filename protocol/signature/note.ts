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
import { parseEd25519PublicKey } from './ed25519.ts';
import type { Ed25519PublicKey, Signer, VerifyEd25519 } from './ed25519.ts';

/** Signature type of a log: Ed25519 over the note's text. */
export const NOTE_ED25519 = 0x01;
/** Signature type of a witness: Ed25519 over a time and the note's text. C2SP tlog-cosignature. */
export const NOTE_COSIGNATURE = 0x04;

/** Longest note, in UTF-16 code units. */
const MAX_NOTE_LENGTH = 1_000_000;
const MAX_SIGNATURES = 100;
const KEY_ID_BYTES = 4;
const TIME_BYTES = 8;
const MAX_TIME = 2n ** 63n - 1n;

/** A key that signs notes, named as in a vkey. */
export interface NoteVerifier {
  /** Without space and `+`; for a log its origin. */
  readonly name: string;
  /** The first 32 bits of SHA-256 over name, type and key: a hint, not an identity. */
  readonly keyId: number;
  readonly type: typeof NOTE_ED25519 | typeof NOTE_COSIGNATURE;
  readonly publicKey: Ed25519PublicKey;
}

/** A {@link NoteVerifier} of type {@link NOTE_ED25519} together with the means to sign. */
export interface NoteSigner extends NoteVerifier {
  /** Sign a note's text, its final newline included: 64 bytes. */
  sign(text: string): Uint8Array;
}

/** One signature under a note, not verified. */
export interface SignatureLine {
  readonly name: string;
  readonly keyId: number;
  /** What follows the key id. */
  readonly signature: Uint8Array;
  /** The line as it stands, without its newline. */
  readonly line: string;
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

/** A {@link NoteVerifier} of type {@link NOTE_COSIGNATURE} together with the means to cosign. */
export interface Cosigner extends NoteVerifier {
  /**
   * Cosign a checkpoint's text.
   *
   * @param time - Unix seconds.
   * @returns A signature line, with its newline.
   */
  cosign(text: string, time: number): string;
}

/**
 * Let `signer` cosign checkpoints under `name`. One key serves one witness: what is signed does not
 * name it. C2SP tlog-cosignature.
 *
 * @throws {@link ProtocolError} `key_invalid` for a name with a space or `+`.
 */
export function cosigner(name: string, signer: Signer): Cosigner {
  if (!isKeyName(name)) throw new ProtocolError('key_invalid', 'malformed key name');
  const verifier = noteVerifier(name, NOTE_COSIGNATURE, signer.publicKey);
  const id = keyIdBytes(name, NOTE_COSIGNATURE, signer.publicKey);
  return {
    ...verifier,
    cosign(text, time) {
      const seconds = BigInt(time);
      const bytes = new Uint8Array(TIME_BYTES);
      new DataView(bytes.buffer).setBigUint64(0, seconds);
      const signature = signer.sign(cosignatureMessage(text, seconds));
      return `— ${name} ${toBase64(concatBytes(id, bytes, signature))}\n`;
    },
  };
}

/** Let `signer` sign notes under `name`. @throws {@link ProtocolError} `key_invalid` for a name with a space or `+`. */
export function noteSigner(name: string, signer: Signer): NoteSigner {
  if (!isKeyName(name)) throw new ProtocolError('key_invalid', 'malformed key name');
  return {
    ...noteVerifier(name, NOTE_ED25519, signer.publicKey),
    sign: (text) => signer.sign(utf8Encode(text)),
  };
}

/**
 * Sign a text as a note.
 *
 * @param text - Ends in a newline; no other control character.
 * @throws {@link ProtocolError} `note_invalid` for any other text.
 */
export function signNote(text: string, signer: NoteSigner): string {
  if (!isNoteText(text)) throw new ProtocolError('note_invalid', 'malformed note text');
  const id = keyIdBytes(signer.name, signer.type, signer.publicKey);
  return `${text}\n— ${signer.name} ${toBase64(concatBytes(id, signer.sign(text)))}\n`;
}

/**
 * Check a note. Every signature by a known key must verify; those by other keys are counted only.
 *
 * @param note - At most 1,000,000 UTF-16 code units, 1 to 100 signature lines.
 * @returns The signed text with its final newline, and the keys that signed it, at least one.
 * @throws {@link ProtocolError} `too_large`, `note_invalid` (grammar, base64) or `signature_invalid`
 *   (a known key's signature fails, or there is none).
 * @see docs/spec/log.md, "Signed note"
 */
export function openNote(
  note: string,
  verifiers: readonly NoteVerifier[],
  verify: VerifyEd25519,
): { text: string; verified: readonly NoteVerifier[]; unknown: number } {
  const { text, lines } = parseNote(note);
  const verified = new Set<NoteVerifier>();
  let unknown = 0;
  for (const { name, keyId, signature } of lines) {
    const [verifier, other] = verifiers.filter((v) => v.name === name && v.keyId === keyId);
    if (other !== undefined) throw new ProtocolError('signature_invalid', 'ambiguous note key');
    if (verifier === undefined) {
      unknown += 1;
    } else if (isSignedBy(verifier, text, signature, verify)) {
      verified.add(verifier);
    } else {
      throw new ProtocolError('signature_invalid', `note signature of ${name} does not verify`);
    }
  }
  if (verified.size === 0) {
    throw new ProtocolError('signature_invalid', 'note has no signature by a known key');
  }
  return { text, verified: [...verified], unknown };
}

/** What a witness signs: that it saw this checkpoint at this Unix time, in seconds. C2SP tlog-cosignature. */
export function cosignatureMessage(text: string, time: bigint): Uint8Array {
  return utf8Encode(`cosignature/v1\ntime ${String(time)}\n${text}`);
}

/**
 * Check when a witness signed a text.
 *
 * @param signature - What follows the key id: a time and an Ed25519 signature.
 * @returns Unix seconds, below 2^63; `undefined` when the signature does not verify.
 */
export function verifyCosignatureTime(
  publicKey: Ed25519PublicKey,
  text: string,
  signature: Uint8Array,
  verify: VerifyEd25519,
): bigint | undefined {
  if (signature.length <= TIME_BYTES) return undefined;
  const time = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
  const message = cosignatureMessage(text, time);
  const isGood = time <= MAX_TIME && verify(publicKey, message, signature.subarray(TIME_BYTES));
  return isGood ? time : undefined;
}

/**
 * Split a note into its text, final newline included, and its signature lines, each once.
 *
 * @throws {@link ProtocolError} `too_large` or `note_invalid`; no signature is verified here.
 */
export function parseNote(note: string): {
  readonly text: string;
  readonly lines: readonly SignatureLine[];
} {
  if (note.length > MAX_NOTE_LENGTH) throw new ProtocolError('too_large', 'note is too long');
  // The last blank line: the text may contain others.
  const end = note.lastIndexOf('\n\n') + 1;
  const text = note.slice(0, end);
  if (!isNoteText(text) || !isNoteText(note)) throw malformed();
  const lines = note.slice(end + 1, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw malformed();
  return { text, lines: [...new Set(lines)].map(parseSignatureLine) };
}

function parseSignatureLine(line: string): SignatureLine {
  const [, name = '', base64 = ''] = /^— ([^ ]+) ([^ ]+)$/.exec(line) ?? [];
  if (!isKeyName(name)) throw malformed();
  const bytes = decodeBase64(base64);
  if (bytes.length <= KEY_ID_BYTES) throw malformed();
  return { name, keyId: uint32(bytes), signature: bytes.subarray(KEY_ID_BYTES), line };
}

function isSignedBy(
  { type, publicKey }: NoteVerifier,
  text: string,
  signature: Uint8Array,
  verify: VerifyEd25519,
): boolean {
  if (type === NOTE_ED25519) return verify(publicKey, utf8Encode(text), signature);
  return verifyCosignatureTime(publicKey, text, signature, verify) !== undefined;
}

function noteVerifier(
  name: string,
  type: NoteVerifier['type'],
  publicKey: Ed25519PublicKey,
): NoteVerifier {
  return { name, keyId: uint32(keyIdBytes(name, type, publicKey)), type, publicKey };
}

function keyIdBytes(name: string, type: number, publicKey: Ed25519PublicKey): Uint8Array {
  const key = fromHex(publicKey, 32);
  return sha256(concatBytes(utf8Encode(`${name}\n`), Uint8Array.of(type), key)).subarray(
    0,
    KEY_ID_BYTES,
  );
}

function uint32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

/** Not empty, no Unicode space (U+0085 is one that `\s` leaves out), no `+`, no control character. */
function isKeyName(name: string): boolean {
  return /^[^\s+\p{Cc}]+$/u.test(name) && name.isWellFormed();
}

function isNoteText(text: string): boolean {
  return text.endsWith('\n') && !/[\0-\x09\x0b-\x1f]/.test(text) && text.isWellFormed();
}

function decodeBase64(text: string): Uint8Array {
  try {
    return fromBase64(text);
  } catch (cause) {
    throw new ProtocolError('note_invalid', 'malformed note signature', { cause });
  }
}

function malformed(): ProtocolError {
  return new ProtocolError('note_invalid', 'malformed note');
}
