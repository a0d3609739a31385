import { fromBase64, toBase64 } from '../encoding/bytes.ts';
import { formatInstant, parseInstant } from '../encoding/time.ts';
import { ProtocolError } from '../errors.ts';
import type { VerifyEd25519 } from '../signature/ed25519.ts';
import { openNote, signNote } from '../signature/note.ts';
import type { NoteSigner } from '../signature/note.ts';
import type { NoteVerifier } from '../signature/verifier-key.ts';
import { HASH_BYTES } from './merkle.ts';

/** A log's signed promise to hold a leaf: proof against the log if the leaf never appears. */
export interface Receipt {
  readonly origin: string;
  /** Hash of the leaf, 32 bytes (see `leafHash`). */
  readonly leafHash: Uint8Array;
  /** When the server accepted it, in Unix milliseconds. */
  readonly at: number;
}

/**
 * What a receipt promises: its leaf is in every checkpoint from so many milliseconds after `at` on.
 *
 * As long as a log of Certificate Transparency may take. Ours takes one epoch, and longer only when
 * more waits than the epochs have room for.
 */
export const MERGE_DELAY_MS = 24 * 3_600_000;

// As a checkpoint this would be one of a log called `sealdrop-receipt/v1`, so neither passes as the other.
const RECEIPT =
  /^sealdrop-receipt\/v1\n(?<origin>[^\n]+)\n(?<hash>[A-Za-z0-9+/]{43}=)\n(?<at>[^\n]+)\n$/;

/** Sign a receipt as a note by the log's key. */
export function signReceipt({ origin, leafHash, at }: Receipt, signer: NoteSigner): string {
  const text = `sealdrop-receipt/v1\n${origin}\n${toBase64(leafHash)}\n${formatInstant(at)}\n`;
  return signNote(text, signer);
}

/**
 * Check a receipt.
 *
 * @param verifiers - Keys of the log with this origin.
 * @throws {@link ProtocolError} as `openNote`, and `note_invalid` for a note that is no receipt, or
 *   one by another log.
 */
export function openReceipt(
  note: string,
  origin: string,
  verifiers: readonly NoteVerifier[],
  verify: VerifyEd25519,
): Receipt {
  const { text } = openNote(note, verifiers, verify);
  const fields = RECEIPT.exec(text)?.groups;
  if (fields === undefined) throw new ProtocolError('note_invalid', 'not a receipt');
  if (fields['origin'] !== origin)
    throw new ProtocolError('note_invalid', 'receipt of another log');
  try {
    const leafHash = fromBase64(fields['hash'] ?? '');
    if (leafHash.length === HASH_BYTES) {
      return { origin, leafHash, at: parseInstant(fields['at'] ?? '') };
    }
  } catch {
    // Not the one encoding of a hash or an instant.
  }
  throw new ProtocolError('note_invalid', 'malformed receipt');
}
