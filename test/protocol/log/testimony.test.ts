import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { toBase64, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { verifyFork } from '../../../protocol/log/fork.ts';
import { EMPTY_ROOT, leafHash, rootOf } from '../../../protocol/log/merkle.ts';
import { findContradictions } from '../../../protocol/log/testimony.ts';
import { tilesForGrowth } from '../../../protocol/log/tiles.ts';
import { treeReader } from '../../../protocol/log/tree-reader.ts';

const SIZE = 1300;
const leavesOf = (story: string): Uint8Array[] =>
  Array.from({ length: SIZE }, (_, i) => leafHash(utf8Encode(`${story} ${i}`)));
const leaves = leavesOf('true');
const log = { size: SIZE, root: rootOf(leaves) };
const rootAt = (size: number): string => toBase64(rootOf(leaves.slice(0, size)));
const FALSE_ROOT = new Uint8Array(32).fill(7);

let reads = 0;
async function treeOf(hashes: readonly Uint8Array[]): Promise<ReturnType<typeof treeReader>> {
  const none = (): never => assert.fail('nothing to read');
  const stored = new Map<string, Uint8Array>();
  for (const { tile, bytes } of await tilesForGrowth(0, hashes, none)) {
    stored.set(`${tile.level}/${tile.index}`, bytes);
  }
  return treeReader((level, index, width) => {
    reads += 1;
    return stored.get(`${level}/${index}`)?.subarray(0, width * 32) ?? assert.fail('no such tile');
  });
}
const tree = await treeOf(leaves);

describe('checkpoints that somebody named', () => {
  it('are of the log at every size that it ever had', async () => {
    const named = Array.from({ length: SIZE + 1 }, (_, size) => ({ size, root: rootAt(size) }));
    const found = await findContradictions(named, log, tree);
    assert.deepEqual(new Set(found), new Set([undefined]));
    assert.equal(found.length, named.length);
  });

  it('contradict it with any other root, and the proof shows ours (property)', async () => {
    const sizes = fc.array(
      fc.record({ size: fc.integer({ min: 1, max: SIZE }), lie: fc.boolean() }),
    );
    await fc.assert(
      fc.asyncProperty(sizes, async (cases) => {
        const named = cases.map(({ size, lie }) => {
          return { size, root: lie ? toBase64(FALSE_ROOT) : rootAt(size) };
        });
        for (const [i, found] of (await findContradictions(named, log, tree)).entries()) {
          const { size = 0, lie } = cases[i] ?? {};
          assert.equal(found !== undefined, lie);
          if (found === undefined) continue;
          const ours = rootOf(leaves.slice(0, size));
          assert.deepEqual(found.ours, ours);
          assert.deepEqual(verifyFork({ size, root: FALSE_ROOT }, log, found.proof), ours);
          // The same proof says nothing against whoever saw the true one.
          assert.throws(() => verifyFork({ size, root: ours }, log, found.proof), {
            code: 'proof_invalid',
          });
        }
      }),
      { numRuns: 20 },
    );
  });

  it('contradict it when it never was that long, whatever their root, and no tile is read', async () => {
    reads = 0;
    const sizes = [SIZE + 1, 2 ** 31, 2 ** 53 - 1];
    const named = sizes.map((size) => ({ size, root: toBase64(log.root) }));
    for (const found of await findContradictions(named, log, tree)) {
      assert.deepEqual(found, { ours: undefined, proof: [] });
    }
    assert.equal(reads, 0);
  });

  it('are nothing for nobody, and of an empty log without a tile', async () => {
    assert.deepEqual(await findContradictions([], log, tree), []);
    const empty = { size: 0, root: EMPTY_ROOT };
    const named = [
      { size: 0, root: toBase64(EMPTY_ROOT) },
      { size: 1, root: rootAt(1) },
    ];
    assert.deepEqual(await findContradictions(named, empty, tree), [
      undefined,
      { ours: undefined, proof: [] },
    ]);
  });

  it('are told apart where two roots are named for one size, which is read once', async () => {
    reads = 0;
    const named = Array.from({ length: 5000 }, (_, i) => ({
      size: 700,
      root: i % 2 === 0 ? rootAt(700) : toBase64(FALSE_ROOT.with(0, i % 256)),
    }));
    const found = await findContradictions(named, log, tree);
    assert.equal(found.filter((it) => it !== undefined).length, 2500);
    assert.ok(reads <= 6, `${reads} tiles`);
  });

  it('are read in few tiles, however many sizes are named', async () => {
    reads = 0;
    const named = leaves.map((_, i) => ({ size: SIZE - i, root: rootAt(1) }));
    await findContradictions(named, log, tree);
    assert.ok(reads < 200, `${reads} tiles`);
  });

  it('are judged by no tiles but those of the log', async () => {
    // Tiles that agree with whoever was shown another log would hide it.
    const other = leavesOf('other');
    const named = [{ size: 300, root: toBase64(rootOf(other.slice(0, 300))) }];
    await assert.rejects(findContradictions(named, log, await treeOf(other)), {
      code: 'proof_invalid',
    });
    const [found] = await findContradictions(named, log, tree);
    assert.ok(found);
  });
});
