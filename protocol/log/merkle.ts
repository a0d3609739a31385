import { concatBytes, equalBytes, sha256 } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';

/** Bytes in a leaf hash, a node hash and a root. */
export const HASH_BYTES = 32;

/** Root of the tree without leaves: SHA-256 of nothing. */
export const EMPTY_ROOT: Uint8Array = sha256(new Uint8Array());

const LEAF_TAG = Uint8Array.of(0);
const NODE_TAG = Uint8Array.of(1);

/** Hash of one leaf: SHA-256(0x00 ‖ leaf). RFC 6962 §2.1. */
export function leafHash(leaf: Uint8Array): Uint8Array {
  return sha256(concatBytes(LEAF_TAG, leaf));
}

/** Hash of an inner node: SHA-256(0x01 ‖ left ‖ right). RFC 6962 §2.1. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(concatBytes(NODE_TAG, left, right));
}

/** The leaves `start` to `end - 1` of a tree, at least one; its hash is MTH(D[start:end]). */
export interface LeafRange {
  readonly start: number;
  readonly end: number;
}

/** Cut a range of two leaves or more where RFC 6962 does: after the largest power of two below its length. */
export function splitRange({ start, end }: LeafRange): [LeafRange, LeafRange] {
  let length = 1;
  while (length * 2 < end - start) length *= 2;
  return [
    { start, end: start + length },
    { start: start + length, end },
  ];
}

/** Root of the tree over these leaf hashes, in order; {@link EMPTY_ROOT} for none. */
export function rootOf(leafHashes: readonly Uint8Array[]): Uint8Array {
  if (leafHashes.length === 0) return EMPTY_ROOT;
  return hashOf({ start: 0, end: leafHashes.length }, leafHashes);
}

function hashOf(range: LeafRange, leafHashes: readonly Uint8Array[]): Uint8Array {
  if (range.end - range.start === 1) {
    const hash = leafHashes[range.start];
    if (hash === undefined) throw new Error('leaf range outside the tree');
    return hash;
  }
  const [left, right] = splitRange(range);
  return nodeHash(hashOf(left, leafHashes), hashOf(right, leafHashes));
}

/**
 * The ranges whose hashes are the inclusion proof of a leaf, its sibling first. RFC 6962 §2.1.1.
 *
 * @throws {@link ProtocolError} `proof_invalid` unless `0 ≤ index < size ≤ 2^53 - 1`.
 */
export function inclusionRanges(index: number, size: number): LeafRange[] {
  requireIndex(index, size);
  const ranges: LeafRange[] = [];
  let range: LeafRange = { start: 0, end: size };
  while (range.end - range.start > 1) {
    const [left, right] = splitRange(range);
    const isLeft = index < left.end;
    ranges.push(isLeft ? right : left);
    range = isLeft ? left : right;
  }
  return ranges.reverse();
}

/**
 * The ranges whose hashes are the consistency proof between two sizes. RFC 6962 §2.1.2.
 *
 * @throws {@link ProtocolError} `proof_invalid` unless `1 ≤ size1 ≤ size2 ≤ 2^53 - 1`: every tree
 *   extends the empty one, so there is nothing to prove from size 0.
 */
export function consistencyRanges(size1: number, size2: number): LeafRange[] {
  requireSizes(size1, size2);
  const ranges: LeafRange[] = [];
  let range: LeafRange = { start: 0, end: size2 };
  while (range.end !== size1) {
    const [left, right] = splitRange(range);
    const isLeft = size1 <= left.end;
    ranges.push(isLeft ? right : left);
    range = isLeft ? left : right;
  }
  // The verifier holds the root of the older tree already; any other node it must be given.
  if (range.start !== 0) ranges.push(range);
  return ranges.reverse();
}

/** Inclusion proof of the leaf at `index` among all of a tree's leaf hashes; see {@link inclusionRanges}. */
export function inclusionProof(index: number, leafHashes: readonly Uint8Array[]): Uint8Array[] {
  return inclusionRanges(index, leafHashes.length).map((range) => hashOf(range, leafHashes));
}

/** Consistency proof from a tree's first `size1` leaves to all of them; see {@link consistencyRanges}. */
export function consistencyProof(size1: number, leafHashes: readonly Uint8Array[]): Uint8Array[] {
  return consistencyRanges(size1, leafHashes.length).map((range) => hashOf(range, leafHashes));
}

/**
 * Check that the leaf with this hash is at `index` in the tree of `size` leaves with this root.
 *
 * The iterative algorithm of RFC 9162 §2.1.3.2: refuses a proof that is too short or too long.
 * Size and root must come from one signed checkpoint, because some proofs fit several sizes.
 *
 * @throws {@link ProtocolError} `proof_invalid`
 */
export function verifyInclusion(
  index: number,
  size: number,
  hash: Uint8Array,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): void {
  requireIndex(index, size);
  requireHashes([hash, root, ...proof]);
  let node = index;
  let last = size - 1;
  let computed = hash;
  for (const sibling of proof) {
    if (last === 0) throw refused('inclusion proof is too long');
    if (isOdd(node) || node === last) {
      computed = nodeHash(sibling, computed);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      computed = nodeHash(computed, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  if (last !== 0) throw refused('inclusion proof is too short');
  if (!equalBytes(computed, root)) throw refused('inclusion proof does not lead to the root');
}

/**
 * Check that the tree of `size2` leaves with `root2` starts with the tree of `size1` leaves with `root1`.
 *
 * The iterative algorithm of RFC 9162 §2.1.4.2. Each size must come from one signed checkpoint with
 * its root, whose length is the caller's matter.
 *
 * @throws {@link ProtocolError} `proof_invalid`; always for `size1` 0, which the caller must treat
 *   by itself (see {@link consistencyRanges}).
 */
export function verifyConsistency(
  size1: number,
  size2: number,
  proof: readonly Uint8Array[],
  root1: Uint8Array,
  root2: Uint8Array,
): void {
  requireSizes(size1, size2);
  requireHashes(proof);
  if (size1 === size2) {
    if (proof.length > 0) throw refused('consistency proof between equal sizes is not empty');
    if (!equalBytes(root1, root2)) throw refused('two roots for one tree size');
    return;
  }
  // A first tree that is a complete subtree of the second starts the climb with its own root.
  const nodes = isWholeSubtree(size1) ? [root1, ...proof] : proof;
  const [computed1, computed2] = foldConsistency(size1, size2, nodes);
  if (!equalBytes(computed1, root1))
    throw refused('consistency proof does not lead to the old root');
  if (!equalBytes(computed2, root2))
    throw refused('consistency proof does not lead to the new root');
}

/** Whether the first `size` leaves of any larger tree are one complete subtree of it. */
export function isWholeSubtree(size: number): boolean {
  // Not by logarithm: beyond 2^49 its rounding would call other sizes powers of two.
  let rest = size;
  while (rest > 1 && !isOdd(rest)) rest = half(rest);
  return rest === 1;
}

/**
 * Climb from the nodes of a consistency proof to both roots.
 *
 * @param nodes - The proof; before it, where {@link isWholeSubtree} holds for `size1`, the hash of
 *   that subtree, which a verifier of consistency has already.
 * @returns The roots of the first `size1` and of all `size2 > size1` leaves of a tree that has these
 *   nodes. Whoever knows the second root to be signed knows the first one to be part of it.
 * @throws {@link ProtocolError} `proof_invalid` for more or fewer nodes than these sizes need. Their
 *   lengths are the caller's matter.
 */
export function foldConsistency(
  size1: number,
  size2: number,
  nodes: readonly Uint8Array[],
): [Uint8Array, Uint8Array] {
  requireSizes(size1, size2);
  let node = size1 - 1;
  let last = size2 - 1;
  while (isOdd(node)) [node, last] = [half(node), half(last)];
  const [start, ...rest] = nodes;
  if (start === undefined) throw refused('consistency proof is too short');
  let computed1 = start;
  let computed2 = start;
  for (const sibling of rest) {
    if (last === 0) throw refused('consistency proof is too long');
    if (isOdd(node) || node === last) {
      computed1 = nodeHash(sibling, computed1);
      computed2 = nodeHash(sibling, computed2);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      computed2 = nodeHash(computed2, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  if (last !== 0) throw refused('consistency proof is too short');
  return [computed1, computed2];
}

function refused(message: string): ProtocolError {
  return new ProtocolError('proof_invalid', message);
}

/** @throws {@link ProtocolError} `proof_invalid` unless `1 ≤ size ≤ 2^53 - 1`. */
export function requireTreeSize(size: number): void {
  if (!Number.isSafeInteger(size) || size < 1) {
    throw refused('tree size is not an integer from 1 to 2^53 - 1');
  }
}

function requireIndex(index: number, size: number): void {
  requireTreeSize(size);
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) {
    throw refused('leaf index is not in the tree');
  }
}

function requireSizes(size1: number, size2: number): void {
  requireTreeSize(size1);
  requireTreeSize(size2);
  if (size1 > size2) throw refused('a log does not shrink');
}

function requireHashes(hashes: readonly Uint8Array[]): void {
  if (hashes.some((hash) => hash.length !== HASH_BYTES)) throw refused('a hash is not 32 bytes');
}

// Sizes go beyond 31 bits, where JavaScript's bit operators would wrap around.
function isOdd(value: number): boolean {
  return value % 2 === 1;
}

function half(value: number): number {
  return Math.floor(value / 2);
}
