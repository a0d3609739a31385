import { closeSync, constants, openSync, readSync } from 'node:fs';
import { ProtocolError } from '../../../protocol/errors.ts';
import { leafTileChecker, type LoggedLeaf } from './leaf-tile.ts';
import { flawOf, tilesIn, type RangeRoots, type TileRange } from './tile-range.ts';
import { HASH, WIDTH } from './tile-root.ts';

/** 256 entries of at most 64 KiB, with their lengths. */
const MAX_BUNDLE_BYTES = WIDTH * (65_535 + 2);
const HASH_TILE_BYTES = WIDTH * HASH;
/** A named pipe in the folder must not make us wait for its writer; Windows has none. */
const FLAGS = constants.O_RDONLY | ((constants as { O_NONBLOCK?: number }).O_NONBLOCK ?? 0);

/**
 * Check ranges of a log in a folder.
 *
 * Reads at once: through the thread pool a small file takes thirty times as long, and hashing it
 * would wait for that. Imports next to nothing, because threads have to load it first.
 *
 * @throws {@link ProtocolError} as `LeafTileChecker.check`, and `proof_invalid` for a missing bundle.
 */
export function localRangeChecker(directory: string): (range: TileRange) => RangeRoots {
  const checker = leafTileChecker();
  const hashTile = Buffer.alloc(HASH_TILE_BYTES + 1);

  const readBundle = (path: string): number => {
    for (let room = 1; ;) {
      const buffer = checker.bundle(room);
      const length = readTileFile(`${directory}/${path}`, buffer);
      if (length === undefined) throw new ProtocolError('proof_invalid', `${path} is missing`);
      if (length < buffer.length) return length;
      if (length > MAX_BUNDLE_BYTES) {
        throw new ProtocolError('too_large', `${path} is too long`);
      }
      room = Math.min(2 * length, MAX_BUNDLE_BYTES + 1);
    }
  };

  return (range) => {
    const roots = new Uint8Array(Math.ceil(range.leaves / WIDTH) * HASH);
    const others: LoggedLeaf[] = [];
    let prefixRoot: Uint8Array | undefined;
    let flaw: string | undefined;
    for (const { tile, entriesPath, hashesPath } of tilesIn(range)) {
      const length = readBundle(entriesPath);
      const found = readTileFile(`${directory}/${hashesPath}`, hashTile);
      const checked = checker.check(length, tile, hashTile.subarray(0, found), others);
      roots.set(checked.root, (tile.index - range.first) * HASH);
      prefixRoot ??= checked.prefixRoot;
      if (!checked.isStored) flaw ??= flawOf(hashesPath, found !== undefined);
    }
    return { roots, prefixRoot, others, flaw };
  };
}

/** Read as much of a tile as the buffer takes, which a regular file gives in one go; undefined without one. */
function readTileFile(path: string, buffer: Buffer): number | undefined {
  try {
    const file = openSync(path, FLAGS);
    try {
      return readSync(file, buffer, 0, buffer.length, null);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
