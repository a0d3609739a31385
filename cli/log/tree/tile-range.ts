import { formatTilePath } from '../../../protocol/log/tile-path.ts';
import type { LeafTile, LoggedLeaf } from './leaf-tile.ts';
import { WIDTH } from './tile-root.ts';

/** 4,096 leaves: two or three milliseconds of work. */
const TILES_PER_RANGE = 16;

/** Some tiles of leaves in a row, looked at in one go. Short, because it goes from thread to thread. */
export interface TileRange {
  /** Index of the first tile. */
  readonly first: number;
  /** Leaves in all of them. */
  readonly leaves: number;
  /** Leaves of an older tree whose root is being made, wherever it ends; 0 for none. */
  readonly older: number;
}

/** What the leaves of a range make. */
export interface RangeRoots {
  /** The roots of the tiles, one behind the other. */
  readonly roots: Uint8Array;
  /** Root over the part of a tile that an older tree had; see `LeafTile.prefix`. */
  readonly prefixRoot: Uint8Array | undefined;
  /** Every leaf that is not a sealed one. */
  readonly others: readonly LoggedLeaf[];
  /** What is wrong with the first hash tile that is not what the leaves make it. */
  readonly flaw: string | undefined;
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
 * @param older - See {@link TileRange}.
 */
export function tileRanges(first: number, size: number, older = 0): TileRanges {
  const end = Math.ceil(size / WIDTH);
  return {
    count: Math.max(0, Math.ceil((end - first) / TILES_PER_RANGE)),
    get(index) {
      const start = first + index * TILES_PER_RANGE;
      const leaves = Math.min(TILES_PER_RANGE * WIDTH, size - start * WIDTH);
      return { first: start, leaves, older };
    },
  };
}

/** The tiles of a range, each with the paths of its entry bundle and of its hash tile. */
export function* tilesIn({ first, leaves, older }: TileRange): Generator<{
  readonly tile: LeafTile;
  readonly entriesPath: string;
  readonly hashesPath: string;
}> {
  for (let index = first, rest = leaves; rest > 0; index++, rest -= WIDTH) {
    const width = Math.min(WIDTH, rest);
    const prefix = Math.floor(older / WIDTH) === index ? older % WIDTH : 0;
    yield {
      tile: { index, width, prefix },
      entriesPath: formatTilePath({ level: 'entries', index, width }),
      hashesPath: formatTilePath({ level: 0, index, width }),
    };
  }
}

/** What to say of a hash tile that is not what the leaves make it. */
export function flawOf(path: string, isThere: boolean): string {
  return isThere ? `${path} is not what the leaves make it` : `${path} is missing`;
}
