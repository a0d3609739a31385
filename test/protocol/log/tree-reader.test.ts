import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import {
  consistencyProof,
  EMPTY_ROOT,
  inclusionProof,
  leafHash,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from '../../../protocol/log/merkle.ts';
import { formatTilePath } from '../../../protocol/log/tile-path.ts';
import { tilesForGrowth } from '../../../protocol/log/tiles.ts';
import { treeReader } from '../../../protocol/log/tree-reader.ts';

const SIZE = 66_000; // three levels of tiles
const leaves = Array.from({ length: SIZE }, (_, i) => leafHash(utf8Encode(`leaf ${i}`)));
const stored = new Map<string, Uint8Array>();
const reads: string[] = [];

/** Serves what a log of `SIZE` leaves holds: partial tiles are cut from what there is. */
const reader = treeReader(async (level, index, width) => {
  reads.push(formatTilePath({ level, index, width }));
  await Promise.resolve();
  return stored.get(`${level}/${index}`)?.subarray(0, width * 32) ?? assert.fail('no such tile');
});

for (const { tile, bytes } of await tilesForGrowth(0, leaves, () =>
  assert.fail('nothing to read'),
)) {
  stored.set(`${tile.level}/${tile.index}`, bytes);
}

describe('a tree read from tiles', () => {
  it('has the root and the proofs of the tree built from its leaves, for sizes up to 70', async () => {
    assert.deepEqual(await reader.root(0), EMPTY_ROOT);
    for (let size = 1; size <= 70; size++) {
      const part = leaves.slice(0, size);
      assert.deepEqual(await reader.root(size), rootOf(part));
      for (let index = 0; index < size; index++) {
        assert.deepEqual(await reader.inclusionProof(index, size), inclusionProof(index, part));
        assert.deepEqual(
          await reader.consistencyProof(index + 1, size),
          consistencyProof(index + 1, part),
        );
      }
    }
  });

  it('has them for sizes around tile and level boundaries', async () => {
    const edges = [255, 256, 257, 511, 512, 513, 600, 65_535, 65_536, 65_537, 65_793, SIZE];
    for (const size of edges) {
      const part = leaves.slice(0, size);
      const root = rootOf(part);
      assert.deepEqual(await reader.root(size), root);
      for (const index of [0, 1, 254, 255, Math.floor(size / 2), size - 2, size - 1]) {
        if (index >= size) continue;
        const proof = await reader.inclusionProof(index, size);
        verifyInclusion(index, size, leaves[index] ?? assert.fail(), proof, root);
      }
    }
  });

  it('proves growth between any two sizes, and inclusion of any leaf (property)', async () => {
    const sizes = fc.tuple(fc.integer({ min: 1, max: SIZE }), fc.integer({ min: 1, max: SIZE }));
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), async (sizes, pick) => {
        const [size1, size2] = [Math.min(...sizes), Math.max(...sizes)];
        const [root1, root2] = await Promise.all([reader.root(size1), reader.root(size2)]);
        const consistency = await reader.consistencyProof(size1, size2);
        verifyConsistency(size1, size2, consistency, root1, root2);
        const index = pick % size2;
        const inclusion = await reader.inclusionProof(index, size2);
        verifyInclusion(index, size2, leaves[index] ?? assert.fail(), inclusion, root2);
      }),
    );
  });

  it('reads a handful of tiles for a proof, each once', async () => {
    reads.length = 0;
    await reader.inclusionProof(12_345, SIZE);
    assert.equal(new Set(reads).size, reads.length);
    assert.ok(reads.length <= 6, reads.join(' '));
  });

  it('refuses sizes and indexes that make no sense', async () => {
    for (const attempt of [
      reader.root(-1),
      reader.root(1.5),
      reader.root(2 ** 53),
      reader.inclusionProof(5, 5),
      reader.inclusionProof(0, 0),
      reader.consistencyProof(0, 5),
      reader.consistencyProof(6, 5),
    ]) {
      await assert.rejects(attempt, { code: 'proof_invalid' });
    }
  });

  it('refuses a tile of another length, and passes on that there is none', async () => {
    const short = treeReader(() => new Uint8Array(32 * 4 + 31));
    await assert.rejects(short.root(5), { code: 'proof_invalid' });
    const absent = treeReader(() => Promise.reject(new Error('404')));
    await assert.rejects(absent.inclusionProof(3, 5), { message: '404' });
  });
});
