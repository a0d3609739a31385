import { concatBytes } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import { HASH_BYTES, rootOf } from './merkle.ts';
import { type Tile, TILE_WIDTH } from './tile-path.ts';

/** A tile with its content. */
export interface TileFile {
  readonly tile: Tile;
  readonly bytes: Uint8Array;
}

/** Fetch a tile's bytes, at least one hash and at most 256; must throw when there is no such tile. */
export type ReadTile = (
  level: number,
  index: number,
  width: number,
) => Uint8Array | Promise<Uint8Array>;

/** How many hashes (or entries) level `level` of a tree of `size` leaves has: whole subtrees only. */
function hashesAt(level: number | 'entries', size: number): number {
  return level === 'entries' ? size : Math.floor(size / TILE_WIDTH ** level);
}

/** Width of a tile in a tree of `size` leaves: 256, less at the right edge, 0 beyond it. */
export function tileWidth(level: number | 'entries', index: number, size: number): number {
  return Math.max(0, Math.min(TILE_WIDTH, hashesAt(level, size) - index * TILE_WIDTH));
}

/** Whether a tree of `size` leaves determines every byte of this tile. */
export function isTileOf({ level, index, width }: Tile, size: number): boolean {
  return width <= tileWidth(level, index, size);
}

/** All tiles and entry bundles of a tree of `size` leaves, level by level, entry bundles last. */
export function* tilesOf(size: number): Generator<Tile> {
  for (let level = 0; hashesAt(level, size) > 0; level++) yield* tilesAt(level, size);
  yield* tilesAt('entries', size);
}

function* tilesAt(level: number | 'entries', size: number): Generator<Tile> {
  const count = Math.ceil(hashesAt(level, size) / TILE_WIDTH);
  for (let index = 0; index < count; index++) {
    yield { level, index, width: tileWidth(level, index, size) };
  }
}

/**
 * The hash tiles to store so that, together with those stored already, all full tiles and the
 * right-edge tiles of the grown tree exist.
 *
 * @param oldSize - Leaves before; their right-edge tiles are read, nothing else.
 * @param newLeafHashes - Hashes of the leaves that follow.
 * @throws {@link ProtocolError} `proof_invalid` when a tile that was read has another length.
 */
export async function tilesForGrowth(
  oldSize: number,
  newLeafHashes: readonly Uint8Array[],
  readTile: ReadTile,
): Promise<TileFile[]> {
  const files: TileFile[] = [];
  let hashes = newLeafHashes;
  for (let level = 0; hashes.length > 0; level++) {
    const first = Math.floor(hashesAt(level, oldSize) / TILE_WIDTH);
    const edge = await readHashes(readTile, level, first, tileWidth(level, first, oldSize));
    const parents: Uint8Array[] = [];
    for (const [offset, chunk] of chunks([...edge, ...hashes]).entries()) {
      const tile: Tile = { level, index: first + offset, width: chunk.length };
      files.push({ tile, bytes: concatBytes(...chunk) });
      // Only a full tile is a whole subtree; a partial one is never hashed upward.
      if (chunk.length === TILE_WIDTH) parents.push(rootOf(chunk));
    }
    hashes = parents;
  }
  return files;
}

/** Cut a list into full tiles and the rest. */
export function chunks<T>(items: readonly T[]): T[][] {
  const result: T[][] = [];
  for (let start = 0; start < items.length; start += TILE_WIDTH) {
    result.push(items.slice(start, start + TILE_WIDTH));
  }
  return result;
}

/**
 * Read a tile as its hashes; none for a width of 0, without reading.
 *
 * @throws {@link ProtocolError} `proof_invalid` when the bytes are not exactly `width` hashes.
 */
export async function readHashes(
  readTile: ReadTile,
  level: number,
  index: number,
  width: number,
): Promise<Uint8Array[]> {
  if (width === 0) return [];
  const bytes = await readTile(level, index, width);
  if (bytes.length !== width * HASH_BYTES) {
    throw new ProtocolError('proof_invalid', 'a tile has another length than its width says');
  }
  return Array.from({ length: width }, (_, i) =>
    bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  );
}
