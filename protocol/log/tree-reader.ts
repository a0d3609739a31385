import {
  consistencyRanges,
  EMPTY_ROOT,
  inclusionRanges,
  nodeHash,
  requireTreeSize,
  rootOf,
  splitRange,
} from './merkle.ts';
import type { LeafRange } from './merkle.ts';
import { TILE_WIDTH } from './tile-path.ts';
import { readHashes, tileWidth } from './tiles.ts';
import type { ReadTile } from './tiles.ts';

/**
 * Roots and proofs of a log, from its hash tiles alone.
 *
 * The tiles are not believed: what comes out is checked against a signed checkpoint, with
 * `verifyInclusion`, `verifyConsistency` or by comparing roots. Any size whose right-edge tiles can
 * still be read will do. All fail with `proof_invalid` for sizes and indexes that make no sense or a tile
 * of the wrong length, and with whatever `readTile` throws.
 */
export interface TreeReader {
  /** Root of the first `size` leaves. */
  root(size: number): Promise<Uint8Array>;
  /** Proof that the leaf at `index` is in the tree of `size` leaves. */
  inclusionProof(index: number, size: number): Promise<Uint8Array[]>;
  /** Proof that the tree of `size2` leaves extends that of `size1 ≥ 1`. */
  consistencyProof(size1: number, size2: number): Promise<Uint8Array[]>;
  /** Hashes of ranges that occur as nodes in the tree of `size` leaves. */
  hashes(ranges: readonly LeafRange[], size: number): Promise<Uint8Array[]>;
}

/** Read a log through `readTile`, be it over HTTP, from a folder or from memory. */
export function treeReader(readTile: ReadTile): TreeReader {
  const read = (size: number, ranges: readonly LeafRange[]): Promise<Uint8Array[]> => {
    const hashOf = rangeHasher(readTile, size);
    return Promise.all(ranges.map(hashOf));
  };
  return {
    async root(size) {
      if (size === 0) return EMPTY_ROOT;
      requireTreeSize(size);
      return rangeHasher(readTile, size)({ start: 0, end: size });
    },
    inclusionProof: async (index, size) => read(size, inclusionRanges(index, size)),
    consistencyProof: async (size1, size2) => read(size2, consistencyRanges(size1, size2)),
    hashes: (ranges, size) => read(size, ranges),
  };
}

/** Hash ranges of a tree of `size` leaves, reading each tile and hashing each node once. */
function rangeHasher(readTile: ReadTile, size: number): (range: LeafRange) => Promise<Uint8Array> {
  const tiles = new Map<string, Promise<TileNodes>>();

  const tileNodes = (level: number, index: number): Promise<TileNodes> => {
    const key = `${level}/${index}`;
    const nodes =
      tiles.get(key) ??
      readHashes(readTile, level, index, tileWidth(level, index, size)).then((it) => [it]);
    tiles.set(key, nodes);
    return nodes;
  };

  return async function hashOf(range: LeafRange): Promise<Uint8Array> {
    const length = range.end - range.start;
    // The highest level at which the range is whole subtrees, all of them in one tile.
    let level = 0;
    let span = 1;
    while (length % (span * TILE_WIDTH) === 0) {
      level += 1;
      span *= TILE_WIDTH;
    }
    const count = length / span;
    if (isPowerOfTwo(count) && count < TILE_WIDTH) {
      const first = range.start / span;
      const nodes = await tileNodes(level, Math.floor(first / TILE_WIDTH));
      return nodeOf(nodes, first % TILE_WIDTH, count);
    }
    const [left, right] = splitRange(range);
    return nodeHash(...(await Promise.all([hashOf(left), hashOf(right)])));
  };
}

/** The hashes of a tile, of its pairs, of its groups of four and so on, as far as anybody asked. */
type TileNodes = Uint8Array[][];

/** Hash of `count` hashes of a tile from `offset` on, both of one power of two. */
function nodeOf(nodes: TileNodes, offset: number, count: number): Uint8Array {
  for (let height = nodes.length; 2 ** height <= count; height++) {
    const below = nodes[height - 1] ?? [];
    nodes.push(
      Array.from({ length: Math.floor(below.length / 2) }, (_, i) =>
        rootOf(below.slice(2 * i, 2 * i + 2)),
      ),
    );
  }
  const node = nodes[Math.log2(count)]?.[offset / count];
  if (node === undefined) throw new Error('a range outside the tree');
  return node;
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value));
}
