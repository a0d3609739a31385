import { formatTilePath } from '../../../protocol/log/tiles.ts';
import type { LeafCounts, LeafTile } from './leaf-tile.ts';

/** Some tiles of leaves in a row, looked at in one go. */
export type TileRange = readonly LeafTile[];

/** What the leaves of a range make. */
export interface RangeRoots {
  readonly tiles: TileRange;
  /** One root a tile. */
  readonly roots: readonly Uint8Array[];
  /** Root over the part of a tile that an older tree had; see `LeafTile.prefix`. */
  readonly prefixRoot: Uint8Array | undefined;
  readonly counts: LeafCounts;
}

const TILE = 256;
/** 16,384 leaves: about ten milliseconds of work. */
const TILES_PER_RANGE = 64;

/** Where an older tree ends, in leaves. */
export interface Boundaries {
  /** Whose root is to be made on the way. */
  readonly older?: number | undefined;
  /** Up to which leaves were counted before. */
  readonly counted?: number | undefined;
}

/** The ranges of a log, made when they are asked for: a long log has many. */
export interface TileRanges {
  readonly count: number;
  /** @param index - Below `count`. */
  get(index: number): TileRange;
}

/**
 * Cut a log into ranges.
 *
 * @param first - Index of the first tile.
 * @param size - Leaves of the log.
 */
export function tileRanges(first: number, size: number, boundaries: Boundaries): TileRanges {
  const end = Math.ceil(size / TILE);
  return {
    count: Math.max(0, Math.ceil((end - first) / TILES_PER_RANGE)),
    get(index) {
      const start = first + index * TILES_PER_RANGE;
      const count = Math.min(TILES_PER_RANGE, end - start);
      return Array.from({ length: count }, (_, i) => leafTile(start + i, size, boundaries));
    },
  };
}

function leafTile(index: number, size: number, { older, counted }: Boundaries): LeafTile {
  const width = Math.min(TILE, size - index * TILE);
  const paths = {
    entries: formatTilePath({ level: 'entries', index, width }),
    hashes: formatTilePath({ level: 0, index, width }),
  };
  const within = (leaves: number | undefined): number =>
    leaves !== undefined && Math.floor(leaves / TILE) === index ? leaves % TILE : 0;
  return {
    index,
    width,
    paths,
    ...(within(older) > 0 && { prefix: within(older) }),
    ...(within(counted) > 0 && { counted: within(counted) }),
  };
}

/** Add up counts. */
export function addCounts(into: LeafCounts, counts: LeafCounts): void {
  for (const [type, number] of Object.entries(counts) as [keyof LeafCounts, number][]) {
    into[type] = (into[type] ?? 0) + number;
  }
}
