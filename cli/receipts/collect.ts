import { toHex } from '../../protocol/encoding/bytes.ts';
import { verifyInclusion } from '../../protocol/log/merkle.ts';
import { formatTilePath } from '../../protocol/log/tile-path.ts';
import { formatTlogProof } from '../../protocol/log/tlog-proof.ts';
import { treeReader } from '../../protocol/log/tree-reader.ts';
import type { SignedState } from '../log/succession.ts';
import { findLeaves } from '../log/tree/scan-hashes.ts';
import type { LogSource } from '../log/source.ts';
import { writeAtomically } from '../home/files.ts';
import type { StoredReceipt } from './stored.ts';

/**
 * Turn promises into proofs, as far as a checkpoint goes.
 *
 * @param state - Verified by the caller.
 * @returns The receipts whose leaf is in the log now, each with its proof, which is stored; the
 *   others have none yet.
 * @throws {@link ProtocolError} `proof_invalid` when tiles make no proof.
 */
export async function collectProofs(
  source: Pick<LogSource, 'tile'>,
  state: SignedState,
  pending: readonly StoredReceipt[],
): Promise<readonly StoredReceipt[]> {
  if (pending.length === 0) return [];
  const { size } = state.checkpoint;
  const wanted = new Set(pending.map(hashOf));
  const start = Math.min(...pending.map(({ after }) => after), size);
  return storeProofs(source, state, pending, await findLeaves(source, size, wanted, start));
}

/** Store the proof of every receipt whose leaf was found. @param found - Index by leaf hash. */
export async function storeProofs(
  source: Pick<LogSource, 'tile'>,
  state: SignedState,
  receipts: readonly StoredReceipt[],
  found: ReadonlyMap<string, number>,
): Promise<readonly StoredReceipt[]> {
  const proven: StoredReceipt[] = [];
  for (const receipt of receipts) {
    const index = found.get(hashOf(receipt));
    if (index === undefined) continue;
    const proof = await proveLeaf(source, state, index, receipt.promise.leafHash);
    await writeAtomically(receipt.paths.proof, proof);
    proven.push({ ...receipt, proof });
  }
  return proven;
}

/** The `.tlog-proof` of a leaf under a checkpoint. */
export async function proveLeaf(
  source: Pick<LogSource, 'tile'>,
  { checkpoint, note }: SignedState,
  index: number,
  leafHash: Uint8Array,
): Promise<string> {
  const { size, root } = checkpoint;
  const tree = treeReader((level, at, width) =>
    source.tile(formatTilePath({ level, index: at, width })),
  );
  const hashes = await tree.inclusionProof(index, size);
  verifyInclusion(index, size, leafHash, hashes, root);
  return formatTlogProof({ index, hashes, checkpoint: note });
}

/** Hash of the promised leaf, lower-case hex. */
export function hashOf({ promise }: StoredReceipt): string {
  return toHex(promise.leafHash);
}
