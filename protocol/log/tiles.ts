import { concatBytes } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import { HASH_BYTES, rootOf } from './merkle.ts';

/** Hashes in a full tile, and entries in a full entry bundle. */
export const TILE_WIDTH = 256;

/**
 * One immutable resource of the log. C2SP tlog-tiles.
 *
 * At level 0 the hashes are leaf hashes, at level `l` the roots of `256^l` leaves each; level
 * `entries` holds the leaves themselves. `width` is 1 to 256, and 256 means a full tile.
 */
export interface Tile {
  readonly level: number | 'entries';
  readonly index: number;
  readonly width: number;
}

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

const TILE_PATH =
  /^tile\/(?<level>entries|0|[1-9]\d?)\/(?<index>(?:x\d{3}\/){0,5}\d{3})(?:\.p\/(?<width>[1-9]\d{0,2}))?$/;

/** Path below the log's prefix, such as `tile/0/x001/234.p/5`. */
export function formatTilePath({ level, index, width }: Tile): string {
  const digits = String(index);
  // 1234067 becomes x001/x234/067: groups of three, all but the last behind an x.
  const groups = digits
    .padStart(Math.ceil(digits.length / 3) * 3, '0')
    .replaceAll(/\d{3}(?=\d)/g, 'x$&/');
  const partial = width === TILE_WIDTH ? '' : `.p/${width}`;
  return `tile/${level}/${groups}${partial}`;
}

/**
 * The tile that a path names; the exact inverse of {@link formatTilePath}.
 *
 * @throws {@link ProtocolError} `encoding_invalid` for any other spelling: a leading zero, a group of
 *   zeros in front, a width of 0 or of 256 and more, a level above 63, an index beyond 2^53 - 1.
 */
export function parseTilePath(path: string): Tile {
  const groups = TILE_PATH.exec(path)?.groups;
  const level = groups?.['level'] === 'entries' ? 'entries' : Number(groups?.['level']);
  const index = Number(groups?.['index']?.replaceAll(/[x/]/g, ''));
  const width = Number(groups?.['width'] ?? TILE_WIDTH);
  const tile: Tile = { level, index, width };
  if (
    groups === undefined ||
    (level !== 'entries' && level > 63) ||
    width > TILE_WIDTH ||
    !Number.isSafeInteger(index) ||
    formatTilePath(tile) !== path
  ) {
    throw new ProtocolError('encoding_invalid', 'malformed tile path');
  }
  return tile;
}

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
