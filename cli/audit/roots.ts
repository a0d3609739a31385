import { EMPTY_ROOT, nodeHash } from '../../protocol/log/merkle.ts';

/**
 * Roots of a log at several earlier sizes, in one pass over its leaf hashes.
 *
 * @returns By size; sizes beyond the log are left out.
 */
export function rootsAt(
  hashes: readonly Uint8Array[],
  sizes: ReadonlySet<number>,
): ReadonlyMap<number, Uint8Array> {
  const roots = new Map<number, Uint8Array>();
  if (sizes.has(0)) roots.set(0, EMPTY_ROOT);
  // Complete subtrees from left to right, as a binary counter: one for each bit set in the size.
  const peaks: Uint8Array[] = [];
  for (const [i, hash] of hashes.entries()) {
    const size = i + 1;
    let node = hash;
    for (let rest = size; rest % 2 === 0; rest /= 2) node = nodeHash(peaks.pop() ?? node, node);
    peaks.push(node);
    if (sizes.has(size))
      roots.set(
        size,
        peaks.reduceRight((right, left) => nodeHash(left, right)),
      );
  }
  return roots;
}
