import { equalBytes } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import type { VerifyEd25519 } from '../signature/ed25519.ts';
import { openNote, parseNote } from '../signature/note.ts';
import type { NoteVerifier } from '../signature/verifier-key.ts';
import type { Checkpoint } from './checkpoint.ts';
import { EMPTY_ROOT, verifyConsistency } from './merkle.ts';
import { readAnyCheckpoint } from './witness-request.ts';
import type { AddCheckpoint } from './witness-request.ts';

/** A log that a witness follows. */
export interface WitnessedLog {
  readonly origin: string;
  /** Any of them may sign for it. */
  readonly keys: readonly NoteVerifier[];
}

/** Why a witness does not cosign. */
export type Refusal =
  | { readonly kind: 'malformed' }
  | { readonly kind: 'unknown_log' }
  | { readonly kind: 'untrusted' }
  /** The log is to prove consistency from another size: the witness's. */
  | { readonly kind: 'conflict'; readonly size: number }
  /** The log may have forked. */
  | { readonly kind: 'inconsistent' };

/** What a witness may do about a request. */
export type WitnessVerdict =
  Refusal | { readonly kind: 'cosign'; readonly text: string; readonly checkpoint: Checkpoint };

/** A checkpoint that was signed by a log which the witness follows. */
export interface SignedCheckpoint {
  readonly kind: 'signed';
  readonly text: string;
  readonly checkpoint: Checkpoint;
}

/**
 * Find out which log a request is about and that the log signed it.
 *
 * @param findLog - By origin.
 * @see C2SP tlog-witness, "add-checkpoint"
 */
export function admitCheckpoint(
  { oldSize, note }: AddCheckpoint,
  findLog: (origin: string) => WitnessedLog | undefined,
  verify: VerifyEd25519,
): Refusal | SignedCheckpoint {
  const { text } = parseNote(note);
  const checkpoint = readAnyCheckpoint(text);
  const log = findLog(checkpoint.origin);
  if (log === undefined) return { kind: 'unknown_log' };
  try {
    openNote(note, log.keys, verify);
  } catch (error) {
    if (error instanceof ProtocolError) return { kind: 'untrusted' };
    throw error;
  }
  if (oldSize > checkpoint.size) return { kind: 'malformed' };
  return { kind: 'signed', text, checkpoint };
}

/**
 * Decide whether a witness cosigns. The state must not change between this and its storage.
 *
 * @param latest - The checkpoint of this log that the witness cosigned last.
 */
export function judgeCheckpoint(
  { oldSize, proof }: AddCheckpoint,
  { text, checkpoint }: SignedCheckpoint,
  latest: Checkpoint | undefined,
): WitnessVerdict {
  const known = latest ?? { size: 0, root: EMPTY_ROOT };
  if (oldSize !== known.size) return { kind: 'conflict', size: known.size };
  const isConsistent =
    oldSize === 0
      ? proof.length === 0 && (checkpoint.size > 0 || equalBytes(checkpoint.root, EMPTY_ROOT))
      : extendsKnown(known, checkpoint, proof);
  return isConsistent ? { kind: 'cosign', text, checkpoint } : { kind: 'inconsistent' };
}

function extendsKnown(
  known: Pick<Checkpoint, 'size' | 'root'>,
  checkpoint: Checkpoint,
  proof: readonly Uint8Array[],
): boolean {
  try {
    verifyConsistency(known.size, checkpoint.size, proof, known.root, checkpoint.root);
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}
