import { equalBytes } from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { Checkpoint } from '../../../protocol/log/checkpoint.ts';
import { EMPTY_ROOT } from '../../../protocol/log/merkle.ts';
import { formatTilePath, TILE_WIDTH } from '../../../protocol/log/tiles.ts';
import type { LeafCounts } from './leaf-tile.ts';
import { addCounts, tileRanges } from './ranges.ts';
import { checkFetched } from './remote-ranges.ts';
import { openRightEdge } from './right-edge.ts';
import type { LogSource } from './source.ts';
import { checkInThreads } from './threads.ts';

/** What was read of a log, all of which makes the signed root. */
export interface CheckedTree {
  /** Leaves by type, those counted before left out. */
  readonly counts: LeafCounts;
  /** Tiles and entry bundles that were read. */
  readonly tiles: number;
  /** Root that this tree has over its first `older` leaves, if they were asked for. */
  readonly olderRoot: Uint8Array | undefined;
}

export interface TreeOptions {
  /** First leaf to read, on the boundary of a tile; what is before it is taken as hashed. */
  readonly start?: number;
  /** Size of an older tree, from `start` to that of the checkpoint, whose root is wanted. */
  readonly older?: number;
  /** Up to which leaves were counted before, from `start`; 0 by default. */
  readonly counted?: number;
  readonly threads?: number;
}

/**
 * Read a log and make its root: every leaf and every tile from `start` on.
 *
 * Takes as long as hashing does, on all cores where the log is in a folder, and holds a few dozen
 * tiles at a time, however long the log is.
 *
 * @param checkpoint - Its signature verified by the caller.
 * @throws {@link ProtocolError} `encoding_invalid`, `leaf_invalid`; `proof_invalid` when a tile is
 *   not what the leaves make it, is missing, or all of it makes another root than the signed one.
 */
export async function checkTree(
  source: LogSource,
  { size, root }: Pick<Checkpoint, 'size' | 'root'>,
  { start = 0, older, counted, threads }: TreeOptions = {},
): Promise<CheckedTree> {
  const first = start / TILE_WIDTH;
  const edge = await openRightEdge(first, size, (level, index, width) =>
    source.tile(formatTilePath({ level, index, width })),
  );
  const counts: LeafCounts = {};
  const ranges = tileRanges(first, size, { older, counted });
  const checked =
    source.directory === undefined
      ? checkFetched(source, ranges)
      : checkInThreads(source.directory, ranges, threads);
  let made: Uint8Array | undefined;
  let olderRoot: Uint8Array | undefined;
  let tiles = 0;
  for await (const range of checked) {
    addCounts(counts, range.counts);
    for (const [i, { index, width }] of range.tiles.entries()) {
      const tileRoot = range.roots[i] ?? EMPTY_ROOT;
      if (older !== undefined && Math.floor(older / TILE_WIDTH) === index) {
        olderRoot = edge.root(older % TILE_WIDTH === 0 ? undefined : range.prefixRoot);
      }
      if (width === TILE_WIDTH) await edge.push(tileRoot);
      else made = edge.root(tileRoot);
      tiles += 2;
    }
  }
  made ??= edge.root();
  if (!equalBytes(made, root)) {
    throw new ProtocolError('proof_invalid', 'the leaves make another root than the signed one');
  }
  tiles += await edge.finish();
  if (older === size) olderRoot = made;
  return { counts, tiles, olderRoot };
}
