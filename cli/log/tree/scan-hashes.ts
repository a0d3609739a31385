import { equalBytes, toHex } from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { Checkpoint } from '../../../protocol/log/checkpoint.ts';
import { HASH_BYTES } from '../../../protocol/log/merkle.ts';
import { formatTilePath, TILE_WIDTH } from '../../../protocol/log/tile-path.ts';
import { tileWidth } from '../../../protocol/log/tiles.ts';
import { openRightEdge } from './right-edge.ts';
import type { LogSource } from '../source.ts';
import { tileHashes } from './tile-root.ts';

const AT_ONCE = 8;

/**
 * Look for leaves by their hashes.
 *
 * Whole tiles are read, all of them from `start` on, so that nobody learns which leaf was looked for.
 * What is found is a claim of the server's until an inclusion proof holds.
 *
 * @param wanted - Leaf hashes, lower-case hex.
 * @returns The index of each one that is there, by hash.
 */
export async function findLeaves(
  source: Pick<LogSource, 'tile'>,
  size: number,
  wanted: ReadonlySet<string>,
  start = 0,
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for await (const { index, bytes } of leafHashTiles(source, size, start)) {
    collect(bytes, index, wanted, found);
  }
  return found;
}

/**
 * As {@link findLeaves}, in all of a log: what is not found is not in it.
 *
 * @param checkpoint - Its signature verified by the caller.
 * @throws {@link ProtocolError} `proof_invalid` when the tiles do not make the signed root, so that
 *   nothing is known about the log.
 */
export async function verifyLeaves(
  source: Pick<LogSource, 'tile'>,
  { size, root }: Pick<Checkpoint, 'size' | 'root'>,
  wanted: ReadonlySet<string>,
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  const hashes = tileHashes();
  const edge = await openRightEdge(source, 0, size);
  let last: Uint8Array | undefined;
  for await (const { index, bytes } of leafHashTiles(source, size, 0)) {
    collect(bytes, index, wanted, found);
    hashes.fill(bytes);
    const width = bytes.length / HASH_BYTES;
    const tileRoot = hashes.root(width);
    if (width === TILE_WIDTH) await edge.push(tileRoot);
    else last = tileRoot;
  }
  if (!equalBytes(edge.root(last), root)) {
    throw new ProtocolError('proof_invalid', 'the tiles make another root than the signed one');
  }
  return found;
}

async function* leafHashTiles(
  source: Pick<LogSource, 'tile'>,
  size: number,
  start: number,
): AsyncGenerator<{ index: number; bytes: Uint8Array }> {
  const end = Math.ceil(size / TILE_WIDTH);
  for (let first = Math.floor(start / TILE_WIDTH); first < end; first += AT_ONCE) {
    const indexes = Array.from({ length: Math.min(AT_ONCE, end - first) }, (_, i) => first + i);
    yield* await Promise.all(
      indexes.map(async (index) => {
        const width = tileWidth(0, index, size);
        const path = formatTilePath({ level: 0, index, width });
        const bytes = await source.tile(path);
        if (bytes.length === width * HASH_BYTES) return { index, bytes };
        throw new ProtocolError('proof_invalid', `${path} has another length than its width says`);
      }),
    );
  }
}

function collect(
  bytes: Uint8Array,
  index: number,
  wanted: ReadonlySet<string>,
  found: Map<string, number>,
): void {
  for (let i = 0; i < bytes.length / HASH_BYTES; i++) {
    const hash = toHex(bytes.subarray(HASH_BYTES * i, HASH_BYTES * (i + 1)));
    if (wanted.has(hash) && !found.has(hash)) found.set(hash, TILE_WIDTH * index + i);
  }
}
