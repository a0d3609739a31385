import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { concatBytes, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { findFork, forkRanges, verifyFork } from '../../../protocol/log/fork.ts';
import type { ForkProof } from '../../../protocol/log/fork.ts';
import { EMPTY_ROOT, foldConsistency, leafHash, rootOf } from '../../../protocol/log/merkle.ts';
import type { LeafRange } from '../../../protocol/log/merkle.ts';
import type { TreeReader } from '../../../protocol/log/tree-reader.ts';

const leavesOf = (story: string, count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => leafHash(utf8Encode(`${story} ${i}`)));
const stateOf = (leaves: readonly Uint8Array[]): { size: number; root: Uint8Array } => ({
  size: leaves.length,
  root: rootOf(leaves),
});
const treeOf = (leaves: readonly Uint8Array[]): Pick<TreeReader, 'hashes'> => ({
  hashes: (ranges: readonly LeafRange[]) =>
    Promise.resolve(ranges.map(({ start, end }) => rootOf(leaves.slice(start, end)))),
});

/** Two sizes, and from which leaf on the larger log tells another story. */
const forks = fc
  .tuple(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 0, max: 70 }))
  .chain(([size1, more]) =>
    fc.record({
      size1: fc.constant(size1),
      size2: fc.constant(size1 + more),
      from: fc.integer({ min: 0, max: size1 - 1 }),
    }),
  );

describe('the proof of a fork', () => {
  it('is found and holds wherever two logs part (property)', async () => {
    await fc.assert(
      fc.asyncProperty(forks, async ({ size1, size2, from }) => {
        const older = leavesOf('true', size1);
        const newer = [...older.slice(0, from), ...leavesOf('other', size2 - from)];
        const proof = await findFork(stateOf(older), stateOf(newer), treeOf(newer));
        assert.ok(proof);
        const prefix = verifyFork(stateOf(older), stateOf(newer), proof);
        assert.deepEqual(prefix, rootOf(newer.slice(0, size1)));
      }),
    );
  });

  it('is neither found nor believed where a log has only grown (property)', async () => {
    await fc.assert(
      fc.asyncProperty(forks, async ({ size1, size2 }) => {
        const newer = leavesOf('true', size2);
        const [a, b] = [stateOf(newer.slice(0, size1)), stateOf(newer)];
        assert.equal(await findFork(a, b, treeOf(newer)), undefined);
        const nodes =
          size1 === size2 ? [] : await treeOf(newer).hashes(forkRanges(size1, size2), size2);
        assert.throws(() => verifyFork(a, b, nodes), { code: 'proof_invalid' });
      }),
    );
  });

  it('does not hold once any bit of it, its length or its states are changed', async () => {
    for (const [size1, size2] of [
      [4, 7], // a whole subtree
      [5, 7],
      [6, 13],
    ] as const) {
      const older = stateOf(leavesOf('true', size1));
      const leaves = leavesOf('other', size2);
      const newer = stateOf(leaves);
      const proof = await findFork(older, newer, treeOf(leaves));
      assert.ok(proof);
      verifyFork(older, newer, proof);
      const refused = (a: typeof older, b: typeof newer, nodes: ForkProof): void => {
        assert.throws(() => verifyFork(a, b, nodes), { code: 'proof_invalid' });
      };
      for (const [i, hash] of proof.entries()) {
        refused(older, newer, proof.with(i, hash.with(0, (hash[0] ?? 0) ^ 1)));
        refused(older, newer, proof.with(i, hash.subarray(1)));
        refused(older, newer, proof.toSpliced(i, 1));
      }
      refused(older, newer, [...proof, older.root]);
      refused(older, newer, []);
      refused(older, { ...newer, root: older.root }, proof);
      refused(newer, older, proof);
    }
  });

  it('is not made of an honest log by cutting its nodes at another byte', () => {
    const leaves = leavesOf('true', 2);
    const [a = EMPTY_ROOT, b = EMPTY_ROOT] = leaves;
    const [older, newer] = [stateOf([a]), stateOf(leaves)];
    const shifted = [concatBytes(a, b.subarray(0, 1)), b.subarray(1)];
    // Side by side they are the bytes that the newer root is the hash of, and the first is no older root.
    assert.deepEqual(foldConsistency(1, 2, shifted)[1], newer.root);
    assert.throws(() => verifyFork(older, newer, shifted), { code: 'proof_invalid' });
  });

  it('is nothing but the two states when they have one size', async () => {
    const [a, b] = [stateOf(leavesOf('true', 9)), stateOf(leavesOf('other', 9))];
    assert.deepEqual(await findFork(a, b, treeOf([])), []);
    assert.deepEqual(verifyFork(a, b, []), b.root);
    assert.throws(() => verifyFork(a, a, []), { code: 'proof_invalid' });
    assert.throws(() => verifyFork(a, b, [a.root]), { code: 'proof_invalid' });
  });

  it('cannot be made of tiles that are not those of the newer state', async () => {
    const older = stateOf(leavesOf('true', 5));
    const newer = stateOf(leavesOf('true', 9));
    const strange = treeOf(leavesOf('other', 9));
    await assert.rejects(findFork(older, newer, strange), { code: 'proof_invalid' });
  });
});
