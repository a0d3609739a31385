import { concatBytes } from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { EMPTY_ROOT } from '../../../protocol/log/merkle.ts';
import { formatTilePath, TILE_WIDTH } from '../../../protocol/log/tile-path.ts';
import { readHashes, tileWidth } from '../../../protocol/log/tiles.ts';
import { findTile, type LogSource } from '../source.ts';
import { flawOf } from './tile-range.ts';
import { tileHashes } from './tile-root.ts';

/**
 * The tree above the tiles of leaves, made from left to right.
 *
 * Of each level it holds the one tile that is not full yet, and nothing else.
 */
export interface RightEdge {
  /**
   * Add the root of the next full tile of leaves. Every tile above that it completes is compared
   * with the one that is stored, and one that differs is a flaw.
   */
  push(root: Uint8Array): Promise<void>;
  /** Root of everything pushed, and behind it of a last tile of leaves that is not full. */
  root(last?: Uint8Array): Uint8Array;
  /** Compare the tiles that are not full. @returns How many tiles there were above the leaves. */
  finish(): Promise<number>;
}

/** Told what is wrong with a hash tile that is not what the leaves make it. */
export type OnFlaw = (message: string) => void;

/** @throws {@link ProtocolError} `proof_invalid` */
export function refuseFlaw(message: string): never {
  throw new ProtocolError('proof_invalid', message);
}

interface Level {
  /** Index of the tile. */
  index: number;
  hashes: Uint8Array[];
}

/**
 * Start behind the first `start` tiles of leaves of a log of `size` leaves.
 *
 * What is to the left is read from the tiles. It is believed for the moment: whoever compares a root
 * that is made of it with a signed one has checked it.
 *
 * @param onFlaw - Throws, unless whoever asks goes on past wrong tiles.
 * @throws {@link ProtocolError} `proof_invalid` when a tile has another length than it must.
 */
export async function openRightEdge(
  source: Pick<LogSource, 'tile'>,
  start: number,
  size: number,
  onFlaw: OnFlaw = refuseFlaw,
): Promise<RightEdge> {
  const levels: Level[] = [];
  const readTile = (level: number, index: number, width: number): Promise<Uint8Array> =>
    source.tile(formatTilePath({ level, index, width }));
  for (let level = 1, count = start; count > 0; level++, count = Math.floor(count / TILE_WIDTH)) {
    const index = Math.floor(count / TILE_WIDTH);
    const width = count % TILE_WIDTH;
    const stored =
      width === 0 ? [] : await readHashes(readTile, level, index, tileWidth(level, index, size));
    levels.push({ index, hashes: stored.slice(0, width) });
  }
  const made = tileHashes();
  const rootOf = (hashes: readonly Uint8Array[]): Uint8Array => {
    made.fill(concatBytes(...hashes));
    return made.root(hashes.length);
  };
  let compared = 0;

  const compare = async (level: number, { index, hashes }: Level): Promise<void> => {
    const width = hashes.length;
    const path = formatTilePath({ level, index, width });
    const stored = await findTile(source, path);
    made.fill(concatBytes(...hashes));
    if (stored === undefined || !made.equals(stored, width)) {
      onFlaw(flawOf(path, stored !== undefined));
    }
    compared += 1;
  };

  return {
    async push(root) {
      let hash = root;
      for (let level = 1; ; level++) {
        const tile = (levels[level - 1] ??= { index: 0, hashes: [] });
        tile.hashes.push(hash);
        if (tile.hashes.length < TILE_WIDTH) return;
        await compare(level, tile);
        hash = rootOf(tile.hashes);
        tile.index += 1;
        tile.hashes = [];
      }
    },
    root(last) {
      let root = last;
      for (const { hashes } of levels) {
        // A smaller subtree may only stand last, which is where RFC 6962 puts it.
        const nodes = root === undefined ? hashes : [...hashes, root];
        if (nodes.length > 0) root = rootOf(nodes);
      }
      return root ?? EMPTY_ROOT;
    },
    async finish() {
      for (const [i, tile] of levels.entries()) {
        if (tile.hashes.length > 0) await compare(i + 1, tile);
      }
      return compared;
    },
  };
}
