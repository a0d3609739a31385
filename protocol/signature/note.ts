import { concatBytes, fromBase64, toBase64, utf8Encode } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import { verifyCosignatureTime } from './cosigner.ts';
import type { Signer, VerifyEd25519 } from './ed25519.ts';
import {
  isKeyName,
  KEY_ID_BYTES,
  NOTE_ED25519,
  noteVerifier,
  readKeyId,
  type NoteVerifier,
} from './verifier-key.ts';

/** Longest note, in UTF-16 code units. */
const MAX_NOTE_LENGTH = 1_000_000;
const MAX_SIGNATURES = 100;

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

/** Let `signer` sign notes under `name`. @throws {@link ProtocolError} `key_invalid` for a name with a space or `+`. */
export function noteSigner(name: string, signer: Signer): NoteSigner {
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
  const id = new Uint8Array(KEY_ID_BYTES);
  new DataView(id.buffer).setUint32(0, signer.keyId);
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
  return { name, keyId: readKeyId(bytes), signature: bytes.subarray(KEY_ID_BYTES), line };
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
