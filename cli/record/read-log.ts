import { equalBytes, utf8Decode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Checkpoint } from '../../protocol/log/checkpoint.ts';
import { parseEntries } from '../../protocol/log/entries.ts';
import { parseLeaf, type Leaf } from '../../protocol/log/leaf.ts';
import { leafHash, rootOf } from '../../protocol/log/merkle.ts';
import { formatTilePath } from '../../protocol/log/tile-path.ts';
import { tilesForGrowth, tilesOf, type TileFile } from '../../protocol/log/tiles.ts';
import type { Client } from '../client/client.ts';

/** A whole log as downloaded: its leaves make the root of the checkpoint, its tiles the leaves'. */
export interface WholeLog {
  readonly leaves: readonly Leaf[];
  readonly hashes: readonly Uint8Array[];
  readonly tiles: readonly TileFile[];
}

/**
 * Download every tile that a checkpoint covers, and check all of it.
 *
 * @param checkpoint - Verified by the caller.
 * @throws {@link ProtocolError} `proof_invalid` when a tile is not what the leaves make it, or they
 *   make another root; `leaf_invalid`, `encoding_invalid`.
 */
export async function readLog(
  client: Pick<Client, 'tile'>,
  { size, root }: Checkpoint,
): Promise<WholeLog> {
  const tiles: TileFile[] = [];
  for (const tile of tilesOf(size)) {
    tiles.push({ tile, bytes: await client.tile(formatTilePath(tile)) });
  }
  const entries = tiles
    .filter(({ tile }) => tile.level === 'entries')
    .flatMap(({ tile, bytes }) => parseEntries(bytes, tile.width));
  const hashes = entries.map(leafHash);
  if (!equalBytes(rootOf(hashes), root)) {
    throw new ProtocolError('proof_invalid', 'the leaves make another root than the signed one');
  }
  await requireTiles(tiles, hashes);
  return { leaves: entries.map((entry) => parseLeaf(utf8Decode(entry))), hashes, tiles };
}

async function requireTiles(
  tiles: readonly TileFile[],
  hashes: readonly Uint8Array[],
): Promise<void> {
  const served = new Map(tiles.map(({ tile, bytes }) => [formatTilePath(tile), bytes]));
  const none = (): never => {
    throw new Error('nothing is read of an empty tree');
  };
  for (const { tile, bytes } of await tilesForGrowth(0, hashes, none)) {
    const path = formatTilePath(tile);
    const found = served.get(path);
    if (found === undefined || !equalBytes(found, bytes)) {
      throw new ProtocolError('proof_invalid', `${path} is not what the leaves make it`);
    }
  }
}
