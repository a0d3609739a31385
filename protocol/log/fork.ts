import { equalBytes } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import type { Checkpoint } from './checkpoint.ts';
import {
  consistencyRanges,
  EMPTY_ROOT,
  foldConsistency,
  HASH_BYTES,
  isWholeSubtree,
  verifyConsistency,
} from './merkle.ts';
import type { LeafRange } from './merkle.ts';
import type { TreeReader } from './tree-reader.ts';

/** A state of a log that somebody was shown. */
export type TreeState = Pick<Checkpoint, 'size' | 'root'>;

/** What shows that two signed states are not of one history; empty for two of equal size. */
export type ForkProof = readonly Uint8Array[];

/**
 * The nodes of the larger tree that decide whether it starts with the smaller one.
 *
 * They are those of a consistency proof, and before them the subtree that such a proof leaves out
 * where the verifier has it already: in a fork he has another one.
 *
 * @param size1 - From 1 to `size2 - 1`.
 */
export function forkRanges(size1: number, size2: number): LeafRange[] {
  const ranges = consistencyRanges(size1, size2);
  return isWholeSubtree(size1) ? [{ start: 0, end: size1 }, ...ranges] : ranges;
}

/**
 * Find out whether a log with the state `newer` has grown from `older`, from the newer one's tiles.
 *
 * @param older - Of at most the size of `newer`; both signed by the log, as the caller has verified.
 * @returns `undefined` when it has; else the proof that it has not, for {@link verifyFork}.
 * @throws {@link ProtocolError} `proof_invalid` when the tiles are not those of `newer` and so decide
 *   nothing, or `older` is the larger one.
 */
export async function findFork(
  older: TreeState,
  newer: TreeState,
  tree: Pick<TreeReader, 'hashes'>,
): Promise<ForkProof | undefined> {
  if (older.size === 0) return undefined;
  if (older.size === newer.size) return equalBytes(older.root, newer.root) ? undefined : [];
  const nodes = await tree.hashes(forkRanges(older.size, newer.size), newer.size);
  if (!equalBytes(prefixRoot(older, newer, nodes), older.root)) return nodes;
  const proof = isWholeSubtree(older.size) ? nodes.slice(1) : nodes;
  verifyConsistency(older.size, newer.size, proof, older.root, newer.root);
  return undefined;
}

/** A part of a log from its first leaf on. */
export interface Prefix {
  /** Leaves. */
  readonly size: number;
  /** Its root in the log that it was read from. */
  readonly root: Uint8Array;
  /** That it is, for {@link verifyFork}: empty for all of the log, and for no leaf. */
  readonly proof: ForkProof;
}

/**
 * The roots that a log has over its first leaves, for several sizes, from its tiles.
 *
 * @param sizes - Each at most that of `log`; in ascending order they share most tiles.
 * @param log - Signed by the log, as the caller has verified.
 * @throws {@link ProtocolError} `proof_invalid` when the tiles are not those of `log`, or a size is
 *   beyond it.
 */
export async function readPrefixes(
  sizes: readonly number[],
  log: TreeState,
  tree: Pick<TreeReader, 'hashes'>,
): Promise<Prefix[]> {
  const ranges = sizes.map((size) =>
    size === 0 || size === log.size ? [] : forkRanges(size, log.size),
  );
  const nodes = await tree.hashes(ranges.flat(), log.size);
  let at = 0;
  return sizes.map((size, i) => {
    const proof = nodes.slice(at, (at += ranges[i]?.length ?? 0));
    if (size === 0) return { size, root: EMPTY_ROOT, proof };
    const root = size === log.size ? log.root : prefixRoot({ size }, log, proof);
    return { size, root, proof };
  });
}

/**
 * Check the proof of a fork. Needs nothing of the log: the nodes make the newer root, so they are of
 * its tree, and that tree starts with another one than the older root's.
 *
 * @param older - Of at most the size of `newer`; both signed by one log, as the caller has verified.
 * @returns The root that the tree of `newer` has over its first `older.size` leaves.
 * @throws {@link ProtocolError} `proof_invalid` when this proves no fork.
 */
export function verifyFork(older: TreeState, newer: TreeState, proof: ForkProof): Uint8Array {
  if (older.size === newer.size && proof.length > 0) throw unproven('a proof too much');
  const prefix = older.size === newer.size ? newer.root : prefixRoot(older, newer, proof);
  if (equalBytes(prefix, older.root)) throw unproven('the two states are of one history');
  return prefix;
}

/** @throws {@link ProtocolError} `proof_invalid` unless the nodes make the root of `newer`. */
function prefixRoot(
  older: Pick<TreeState, 'size'>,
  newer: TreeState,
  nodes: ForkProof,
): Uint8Array {
  if (nodes.some((hash) => hash.length !== HASH_BYTES)) throw unproven('a hash is not 32 bytes');
  const [prefix, whole] = foldConsistency(older.size, newer.size, nodes);
  if (!equalBytes(whole, newer.root)) throw unproven('the nodes do not make the newer root');
  return prefix;
}

function unproven(message: string): ProtocolError {
  return new ProtocolError('proof_invalid', `nothing proven: ${message}`);
}
