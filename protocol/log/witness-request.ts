import { fromBase64, toBase64 } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import { parseNote } from '../signature/note.ts';
import type { Checkpoint } from './checkpoint.ts';
import { HASH_BYTES } from './merkle.ts';

/** What a log sends to a witness. C2SP tlog-witness, "add-checkpoint". */
export interface AddCheckpoint {
  /** Size of the checkpoint that the witness cosigned last, as far as the log knows. */
  readonly oldSize: number;
  /** Consistency proof from `oldSize`; empty from 0. At most 63 hashes. */
  readonly proof: readonly Uint8Array[];
  /** The checkpoint as the log signed it. */
  readonly note: string;
}

/** Bytes of a request, at most: a proof of 63 lines and a note with a hundred signatures fit. */
export const MAX_ADD_CHECKPOINT_BYTES = 65_536;
/** Media type of a 409's body, `<size>\n`. */
export const TREE_SIZE_TYPE = 'text/x.tlog.size';
const MAX_PROOF_LINES = 63;

const SIZE = /^(?:0|[1-9]\d{0,15})$/;
const CHECKPOINT = /^([^\n]+)\n([^\n]+)\n([^\n]+)\n(?:[^\n]+\n)*$/;

/** The body of a request. */
export function formatAddCheckpoint({ oldSize, proof, note }: AddCheckpoint): string {
  return [`old ${oldSize}`, ...proof.map(toBase64), '', note].join('\n');
}

/**
 * Parse a request's body; the exact inverse of {@link formatAddCheckpoint}.
 *
 * @throws {@link ProtocolError} `encoding_invalid` for a malformed size or proof, `note_invalid` or
 *   `too_large` for a malformed note. Nothing is verified.
 */
export function parseAddCheckpoint(body: string): AddCheckpoint {
  const end = body.indexOf('\n\n');
  if (end < 0) throw malformed('no blank line after the proof');
  const [first = '', ...lines] = body.slice(0, end).split('\n');
  const oldSize = parseTreeSize(/^old (.+)$/.exec(first)?.[1] ?? '');
  if (lines.length > MAX_PROOF_LINES) throw malformed('proof is too long');
  const proof = lines.map(parseHash);
  const note = body.slice(end + 2);
  parseNote(note);
  return { oldSize, proof, note };
}

/**
 * A size as it stands in a request and in a 409's body without its newline.
 *
 * @throws {@link ProtocolError} `encoding_invalid`, also beyond 2^53 - 1.
 */
export function parseTreeSize(text: string): number {
  const size = SIZE.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(size)) throw malformed('not a tree size');
  return size;
}

/**
 * Read the checkpoint of any log, as a witness does. Unlike `parseCheckpoint` it accepts extension
 * lines, which are cosigned without being understood, and does not look at the root of an empty log.
 *
 * @param text - With its final newline.
 * @throws {@link ProtocolError} `checkpoint_invalid` or `encoding_invalid`
 */
export function readAnyCheckpoint(text: string): Checkpoint {
  const [, origin = '', size = '', root = ''] = CHECKPOINT.exec(text) ?? [];
  if (origin === '') throw new ProtocolError('checkpoint_invalid', 'malformed checkpoint');
  return { origin, size: parseTreeSize(size), root: parseHash(root) };
}

function parseHash(line: string): Uint8Array {
  const hash = fromBase64(line);
  if (hash.length !== HASH_BYTES) throw malformed('a hash is not 32 bytes');
  return hash;
}

function malformed(what: string): ProtocolError {
  return new ProtocolError('encoding_invalid', what);
}
