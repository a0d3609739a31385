import { parseTlogProof } from '../../protocol/log/tlog-proof.ts';
import type { OmissionEvidence } from '../log/evidence.ts';
import type { SignedState } from '../log/succession.ts';
import { verifyLeaves } from '../log/tree/scan-hashes.ts';
import type { LogSource } from '../log/source.ts';
import { hashOf, proveLeaf, storeProofs } from './collect.ts';
import type { StoredReceipt } from './stored.ts';

/** What became of promises whose time is over. */
export interface Overdue {
  /** In the log after all, each with its proof. */
  readonly proven: readonly StoredReceipt[];
  readonly omitted: readonly {
    readonly receipt: StoredReceipt;
    readonly evidence: OmissionEvidence;
  }[];
}

/**
 * Look for overdue leaves in all of a log, and make evidence of each that is not there.
 *
 * @param state - Verified by the caller, and newer than what was promised.
 * @param logged - Receipts with proofs: a later one among them shows when the checkpoint was signed.
 * @throws {@link ProtocolError} `proof_invalid` when the tiles do not make the signed root, so that
 *   nothing is known.
 */
export async function judgeOverdue(
  source: Pick<LogSource, 'tile'>,
  state: SignedState,
  overdue: readonly StoredReceipt[],
  logged: readonly StoredReceipt[],
): Promise<Overdue> {
  if (overdue.length === 0) return { proven: [], omitted: [] };
  const found = await verifyLeaves(source, state.checkpoint, new Set(overdue.map(hashOf)));
  const proven = await storeProofs(source, state, overdue, found);
  const omitted: Overdue['omitted'][number][] = [];
  for (const receipt of overdue) {
    if (found.has(hashOf(receipt))) continue;
    const later = await latenessProof(source, state, receipt.due, [...logged, ...proven]);
    const evidence: OmissionEvidence = {
      kind: 'omitted',
      receipt: receipt.receipt,
      checkpoint: state.note,
      later,
    };
    omitted.push({ receipt, evidence });
  }
  return { proven, omitted };
}

/** A leaf under this checkpoint that the log itself says it accepted after a time. */
async function latenessProof(
  source: Pick<LogSource, 'tile'>,
  state: SignedState,
  due: number,
  logged: readonly StoredReceipt[],
): Promise<OmissionEvidence['later']> {
  const later = logged.find(({ promise, proof }) => promise.at >= due && proof !== undefined);
  if (later?.proof === undefined) return undefined;
  const { index } = parseTlogProof(later.proof);
  if (index >= state.checkpoint.size) return undefined;
  const proof = await proveLeaf(source, state, index, later.promise.leafHash);
  return { receipt: later.receipt, proof };
}
