import { fromBase64, toBase64 } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import type { VerifyEd25519 } from '../signature/ed25519.ts';
import type { NoteVerifier } from '../signature/verifier-key.ts';
import { openCheckpoint } from './checkpoint.ts';
import type { Checkpoint } from './checkpoint.ts';
import { HASH_BYTES, verifyInclusion } from './merkle.ts';

/** Proof that a log has a leaf, which needs nothing but the log's key to check. C2SP tlog-proof. */
export interface TlogProof {
  /** Anything; signed by nobody. We write none. */
  readonly extra?: Uint8Array;
  /** Of the leaf. */
  readonly index: number;
  /** Inclusion proof, the leaf's sibling first. */
  readonly hashes: readonly Uint8Array[];
  /** Signed note, as published, cosignatures included. */
  readonly checkpoint: string;
}

const HEADER = 'c2sp.org/tlog-proof@v1';
/** A tree of 2^53 leaves is 53 high. */
const MAX_HASHES = 53;
/** Header, extra, index, hashes and a checkpoint with a hundred signatures. */
export const MAX_TLOG_PROOF_LENGTH = 131_072;

const BASE64 = '[A-Za-z0-9+/]+={0,2}';
const PROOF = new RegExp(
  `^${HEADER}\\n(?:extra (?<extra>${BASE64})\\n)?index (?<index>0|[1-9]\\d*)\\n` +
    `(?<hashes>(?:[A-Za-z0-9+/]{43}=\\n){0,${MAX_HASHES}})\\n(?<checkpoint>[^]+)$`,
);

/** Write a `.tlog-proof` file. */
export function formatTlogProof({ extra, index, hashes, checkpoint }: TlogProof): string {
  const lines = [
    HEADER,
    ...(extra === undefined ? [] : [`extra ${toBase64(extra)}`]),
    `index ${index}`,
    ...hashes.map(toBase64),
  ];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

/**
 * Read a `.tlog-proof` file; the exact inverse of {@link formatTlogProof}. Nothing is verified.
 *
 * @throws {@link ProtocolError} `too_large`; `proof_invalid` for any other grammar, base64 that is not
 *   canonical, or an index beyond 2^53 - 1.
 */
export function parseTlogProof(text: string): TlogProof {
  if (text.length > MAX_TLOG_PROOF_LENGTH) {
    throw new ProtocolError('too_large', 'proof file is too long');
  }
  const fields = PROOF.exec(text)?.groups;
  const index = Number(fields?.['index']);
  if (fields === undefined || !Number.isSafeInteger(index)) throw malformed();
  const hashes = (fields['hashes'] ?? '').split('\n').slice(0, -1).map(decode);
  if (hashes.some((hash) => hash.length !== HASH_BYTES)) throw malformed();
  const { extra, checkpoint = '' } = fields;
  return { ...(extra !== undefined && { extra: decode(extra) }), index, hashes, checkpoint };
}

/**
 * Check that a log has a leaf.
 *
 * @param hash - Of the leaf (see `leafHash`); the file does not say which leaf it is about.
 * @param verifiers - The log's keys, and those of witnesses, whose lines are then checked too. How
 *   many witnesses are enough is not judged here.
 * @throws {@link ProtocolError} `proof_invalid`, and as `openCheckpoint`.
 */
export function verifyTlogProof(
  { index, hashes, checkpoint }: TlogProof,
  hash: Uint8Array,
  origin: string,
  verifiers: readonly NoteVerifier[],
  verify: VerifyEd25519,
): Checkpoint {
  const opened = openCheckpoint(checkpoint, origin, verifiers, verify);
  verifyInclusion(index, opened.size, hash, hashes, opened.root);
  return opened;
}

function decode(base64: string): Uint8Array {
  try {
    return fromBase64(base64);
  } catch (cause) {
    throw new ProtocolError('proof_invalid', 'malformed proof file', { cause });
  }
}

function malformed(): ProtocolError {
  return new ProtocolError('proof_invalid', 'malformed proof file');
}
