import type { LeafTile, LoggedLeaf } from './leaf-tile.ts';
import { WIDTH } from './tile-root.ts';

/** Some tiles of leaves in a row, looked at in one go. Short, because it goes from thread to thread. */
export interface TileRange {
  /** Index of the first tile. */
  readonly first: number;
  /** Leaves in all of them. */
  readonly leaves: number;
  /** Where the entry bundle and the hash tile of each are, in turn. */
  readonly paths: readonly string[];
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

/** The tiles of a range, each with its paths. */
export function* tilesIn({ first, leaves, paths, older }: TileRange): Generator<{
  readonly tile: LeafTile;
  readonly entriesPath: string;
  readonly hashesPath: string;
}> {
  for (let i = 0; i * WIDTH < leaves; i++) {
    const index = first + i;
    const width = Math.min(WIDTH, leaves - i * WIDTH);
    const prefix = Math.floor(older / WIDTH) === index ? older % WIDTH : 0;
    const [entriesPath = '', hashesPath = ''] = paths.slice(2 * i, 2 * i + 2);
    yield { tile: { index, width, prefix }, entriesPath, hashesPath };
  }
}

/** What to say of a hash tile that is not what the leaves make it. */
export function flawOf(path: string, isThere: boolean): string {
  return isThere ? `${path} is not what the leaves make it` : `${path} is missing`;
}
