import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { toHex } from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { MERGE_DELAY_MS, openReceipt, type Receipt } from '../../../protocol/log/receipt.ts';
import { parseTlogProof, verifyTlogProof } from '../../../protocol/log/tlog-proof.ts';
import type { OmissionEvidence } from '../evidence.ts';
import type { LogKeys } from '../log-keys.ts';
import { openState, type WitnessedState } from '../signed-state.ts';
import { verifyLeaves } from '../tree/scan-hashes.ts';
import type { LogSource } from '../source.ts';

/** A promise that was broken. */
export interface Omission {
  readonly receipt: Receipt;
  readonly state: WitnessedState;
  /** By when the leaf was due, in Unix milliseconds. */
  readonly due: number;
  /** What shows that the checkpoint is from after that; undefined when nothing in the file does. */
  readonly lateness: string | undefined;
}

/**
 * Check evidence of an omitted leaf: the promise and the checkpoint are the log's, and no leaf of that
 * checkpoint is the promised one.
 *
 * @param source - Where the log of the checkpoint can be read; what comes is held against its root.
 * @throws {@link ProtocolError} `proof_invalid` when the leaf is there, or the tiles are not those
 *   of the checkpoint; as `openReceipt` and `openCheckpoint`.
 */
export async function verifyOmission(
  evidence: OmissionEvidence,
  source: Pick<LogSource, 'tile'>,
  keys: LogKeys,
): Promise<Omission> {
  const receipt = openPromise(evidence.receipt, keys);
  const state = openState(evidence.checkpoint, keys);
  const hash = toHex(receipt.leafHash);
  const index = (await verifyLeaves(source, state.checkpoint, new Set([hash]))).get(hash);
  if (index !== undefined) {
    throw new ProtocolError(
      'proof_invalid',
      `nothing is omitted: leaf ${index} is the promised one`,
    );
  }
  const due = receipt.at + MERGE_DELAY_MS;
  return { receipt, state, due, lateness: latenessOf(evidence, state, due, keys) };
}

/** A receipt of this log. */
export function openPromise(note: string, { log }: LogKeys): Receipt {
  return openReceipt(note, log.name, [log], verifyEd25519);
}

function latenessOf(
  { later, checkpoint }: OmissionEvidence,
  { cosignatures }: WitnessedState,
  due: number,
  keys: LogKeys,
): string | undefined {
  const witness = cosignatures.find(({ time }) => time * 1000n >= BigInt(due));
  if (witness !== undefined) return `${witness.witness.name} cosigned it after that`;
  if (later === undefined) return undefined;
  const promise = openPromise(later.receipt, keys);
  const proof = parseTlogProof(later.proof);
  if (proof.checkpoint !== checkpoint) {
    throw new ProtocolError('proof_invalid', 'the later leaf is proven under another checkpoint');
  }
  verifyTlogProof(proof, promise.leafHash, keys.log.name, [keys.log], verifyEd25519);
  return promise.at >= due ? 'it holds a leaf that the log itself accepted after that' : undefined;
}
