import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { ProtocolError } from '../../../protocol/errors.ts';
import { leafTileChecker, type LeafCounts } from './leaf-tile.ts';
import type { RangeRoots, TileRange } from './ranges.ts';

/** 256 entries of at most 64 KiB, with their lengths. */
const MAX_BUNDLE_BYTES = 256 * (65_535 + 2);
const HASH_TILE_BYTES = 256 * 32;
/** A named pipe in the folder must not make us wait for its writer; Windows has none. */
const FLAGS = constants.O_RDONLY | ((constants as { O_NONBLOCK?: number }).O_NONBLOCK ?? 0);

/**
 * Check ranges of a log in a folder.
 *
 * Reads at once: through the thread pool a small file takes thirty times as long, and hashing it
 * would wait for that. Imports next to nothing, because threads have to load it first.
 *
 * @throws {@link ProtocolError} as `LeafTileChecker.check`, and `proof_invalid` for a missing tile.
 */
export function localRangeChecker(directory: string): (tiles: TileRange) => RangeRoots {
  const checker = leafTileChecker();
  const hashTile = Buffer.alloc(HASH_TILE_BYTES + 1);

  const readBundle = (path: string): number => {
    for (let room = 1; ;) {
      const buffer = checker.bundle(room);
      const length = readTileFile(directory, path, buffer);
      if (length < buffer.length) return length;
      if (length > MAX_BUNDLE_BYTES) {
        throw new ProtocolError('too_large', `${path} is too long`);
      }
      room = Math.min(2 * length, MAX_BUNDLE_BYTES + 1);
    }
  };

  return (tiles) => {
    const counts: LeafCounts = {};
    let prefixRoot: Uint8Array | undefined;
    const roots = tiles.map((tile) => {
      const { paths } = tile;
      const length = readBundle(paths.entries);
      const hashBytes = readTileFile(directory, paths.hashes, hashTile);
      const checked = checker.check(length, tile, hashTile.subarray(0, hashBytes), counts);
      prefixRoot = checked.prefixRoot ?? prefixRoot;
      return checked.root;
    });
    return { tiles, roots, prefixRoot, counts };
  };
}

/** Read as much of a tile as the buffer takes; a regular file gives it in one go. */
function readTileFile(directory: string, path: string, buffer: Buffer): number {
  try {
    const file = openSync(join(directory, path), FLAGS);
    try {
      return readSync(file, buffer, 0, buffer.length, null);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new ProtocolError('proof_invalid', `${path} is missing`);
    }
    throw error;
  }
}
