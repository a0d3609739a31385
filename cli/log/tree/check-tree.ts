import { equalBytes } from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { Checkpoint } from '../../../protocol/log/checkpoint.ts';
import { accountedSpan, type Leaf } from '../../../protocol/log/leaf.ts';
import type { LoggedLeaf } from './leaf-tile.ts';
import { checkFetched } from './remote-ranges.ts';
import { openRightEdge, refuseFlaw, type OnFlaw } from './right-edge.ts';
import type { LogSource } from '../source.ts';
import { checkInThreads } from './threads.ts';
import { tileRanges } from './tile-range.ts';
import { HASH, WIDTH } from './tile-root.ts';

/** How many leaves of each type there are. */
export type LeafCounts = Partial<Record<Leaf['type'], number>>;

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
  /**
   * Told in order of every leaf that is not a sealed one and was not counted before. Whether it may
   * account for what it accounts for is its matter; by default that has to be before the leaf itself.
   */
  readonly onOther?: (entry: LoggedLeaf) => void;
  /** Throws by default: `proof_invalid`. */
  readonly onFlaw?: OnFlaw;
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
  source: Pick<LogSource, 'tile' | 'directory'>,
  { size, root }: Pick<Checkpoint, 'size' | 'root'>,
  options: TreeOptions = {},
): Promise<CheckedTree> {
  const { start = 0, older, counted = 0, threads } = options;
  const { onOther = requireEarlier, onFlaw = refuseFlaw } = options;
  let index = start / WIDTH;
  const edge = await openRightEdge(source, index, size, onFlaw);
  const counts: LeafCounts = {};
  const ranges = tileRanges(index, size, older);
  const checked =
    source.directory === undefined
      ? checkFetched(source, ranges)
      : checkInThreads(source.directory, ranges, threads);
  let made: Uint8Array | undefined;
  let olderRoot: Uint8Array | undefined;
  let tiles = 0;
  for await (const { roots, prefixRoot, others, flaw } of checked) {
    if (flaw !== undefined) onFlaw(flaw);
    for (const other of others) {
      if (other.index < counted) continue;
      counts[other.leaf.type] = (counts[other.leaf.type] ?? 0) + 1;
      onOther(other);
    }
    for (let at = 0; at < roots.length; at += HASH, index++) {
      const tileRoot = roots.subarray(at, at + HASH);
      if (older !== undefined && Math.floor(older / WIDTH) === index) {
        olderRoot = edge.root(older % WIDTH === 0 ? undefined : prefixRoot);
      }
      if ((index + 1) * WIDTH <= size) await edge.push(tileRoot);
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
  return { counts: withSealed(counts, size - Math.max(start, counted)), tiles, olderRoot };
}

/** All leaves that are nothing else are sealed ones. */
function withSealed(others: LeafCounts, leaves: number): LeafCounts {
  const sealed = Object.values(others).reduce((rest, number) => rest - number, leaves);
  return sealed === 0 ? others : { sealed, ...others };
}

function requireEarlier({ index, leaf }: LoggedLeaf): void {
  const span = accountedSpan(leaf);
  if (span === undefined || span.last < index) return;
  throw new ProtocolError(
    'leaf_invalid',
    `leaf ${index}: accounts for a leaf that is not before it`,
  );
}

/** Add up counts. */
export function addCounts(into: LeafCounts, counts: LeafCounts): void {
  for (const [type, number] of Object.entries(counts) as [keyof LeafCounts, number][]) {
    into[type] = (into[type] ?? 0) + number;
  }
}
