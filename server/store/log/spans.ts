import type { LeafSpan } from '../../../protocol/log/leaf.ts';

/** Runs of consecutive indexes. @param leaves - Ascending, each once. */
export function spansOf(leaves: readonly number[]): LeafSpan[] {
  const spans: { first: number; last: number }[] = [];
  for (const leaf of leaves) {
    const before = spans.at(-1);
    if (before?.last === leaf - 1) before.last = leaf;
    else spans.push({ first: leaf, last: leaf });
  }
  return spans;
}

/** Runs of the indexes from `start` to `end - 1` that are none of `leaves`. @param leaves - Ascending. */
export function spansBetween(leaves: readonly number[], start: number, end: number): LeafSpan[] {
  const spans: LeafSpan[] = [];
  let first = start;
  for (const leaf of [...leaves, end]) {
    if (leaf > first) spans.push({ first, last: leaf - 1 });
    first = leaf + 1;
  }
  return spans;
}
