import { equalBytes, fromBase64, toBase64 } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import type { VerifyEd25519 } from '../signature/ed25519.ts';
import { openNote } from '../signature/note.ts';
import { NOTE_ED25519 } from '../signature/verifier-key.ts';
import type { NoteVerifier } from '../signature/verifier-key.ts';
import { EMPTY_ROOT, HASH_BYTES } from './merkle.ts';

/** A log's state: the root over its first `size` leaves. C2SP tlog-checkpoint. */
export interface Checkpoint {
  /** Which log: its URL without scheme, such as `sealdrop.example.org/log`. */
  readonly origin: string;
  /** Leaves, up to 2^53 - 1. */
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

const CHECKPOINT = /^(?<origin>[^\n]+)\n(?<size>0|[1-9]\d*)\n(?<root>[A-Za-z0-9+/]{43}=)\n$/;

/** The text that a log signs. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${toBase64(root)}\n`;
}

/**
 * Parse a checkpoint's text; the exact inverse of {@link formatCheckpoint}. Our logs write no
 * extension lines, so there are none to accept.
 *
 * @throws {@link ProtocolError} `checkpoint_invalid` for another origin, a malformed line, a size
 *   beyond 2^53 - 1 or an empty tree with a root of its own.
 */
export function parseCheckpoint(text: string, origin: string): Checkpoint {
  const fields = CHECKPOINT.exec(text)?.groups;
  if (fields === undefined) throw invalid('malformed checkpoint');
  if (fields['origin'] !== origin) throw invalid('checkpoint of another log');
  const size = Number(fields['size']);
  if (!Number.isSafeInteger(size)) throw invalid('checkpoint size is above 2^53 - 1');
  const root = decodeRoot(fields['root'] ?? '');
  if (size === 0 && !equalBytes(root, EMPTY_ROOT)) throw invalid('empty log with a wrong root');
  return { origin, size, root };
}

/**
 * Check a signed checkpoint as published.
 *
 * @param verifiers - The keys of the log itself, any of which may have signed. Witnesses' keys may be
 *   among them and are then checked too, but never replace the log's own signature.
 * @throws {@link ProtocolError} as `openNote` and {@link parseCheckpoint}
 */
export function openCheckpoint(
  note: string,
  origin: string,
  verifiers: readonly NoteVerifier[],
  verify: VerifyEd25519,
): Checkpoint {
  const { text, verified } = openNote(note, verifiers, verify);
  if (!verified.some(({ type }) => type === NOTE_ED25519)) {
    throw new ProtocolError('signature_invalid', 'checkpoint is not signed by its log');
  }
  return parseCheckpoint(text, origin);
}

function decodeRoot(base64: string): Uint8Array {
  try {
    const root = fromBase64(base64);
    if (root.length === HASH_BYTES) return root;
  } catch {
    // Not canonical base64: the same answer as for a wrong length.
  }
  throw invalid('malformed checkpoint');
}

function invalid(message: string): ProtocolError {
  return new ProtocolError('checkpoint_invalid', message);
}
