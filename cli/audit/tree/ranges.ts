import { formatTilePath } from '../../../protocol/log/tiles.ts';
import type { TileRange } from './tile-range.ts';
import { WIDTH } from './tile-root.ts';

/** 4,096 leaves: two or three milliseconds of work. */
const TILES_PER_RANGE = 16;

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
      const paths: string[] = [];
      for (let done = 0; done < leaves; done += WIDTH) {
        const tile = { index: start + done / WIDTH, width: Math.min(WIDTH, leaves - done) };
        paths.push(formatTilePath({ ...tile, level: 'entries' }));
        paths.push(formatTilePath({ ...tile, level: 0 }));
      }
      return { first: start, leaves, paths, older };
    },
  };
}
