import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { flushFolder, writeFileDurably } from '../../../platform/files.ts';
import { readFileBoundedSync } from '../../../platform/read-file.ts';
import { equalBytes, utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { encodeEntries, parseEntries } from '../../../protocol/log/entries.ts';
import { HASH_BYTES } from '../../../protocol/log/merkle.ts';
import { formatTilePath, TILE_WIDTH } from '../../../protocol/log/tile-path.ts';
import type { Tile } from '../../../protocol/log/tile-path.ts';
import { formatTimestampIndex, TIMESTAMPS } from '../../../protocol/log/timestamps.ts';
import type { LogFiles } from '../../services/log/store.ts';

/** 256 entries of at most 64 KiB, with their lengths. */
const MAX_TILE_BYTES = 256 * (65_535 + 2);
const TOKEN = /^\d+\.tsr$/;

/** The files of a log in `folder`, at the paths at which they are served. */
export function logFiles(folder: string): LogFiles {
  const directory = resolve(folder);
  const checkpoint = join(directory, 'checkpoint');
  const durableFolders = new Set<string>();

  /** A file survives a power cut only if every folder above it does, too. */
  async function makeFolder(path: string): Promise<void> {
    if (durableFolders.has(path)) return;
    await mkdir(path, { recursive: true });
    for (let parent = path; parent.startsWith(directory);) {
      parent = dirname(parent);
      await flushFolder(parent);
    }
    durableFolders.add(path);
  }

  const pathOf = (tile: Tile): string => join(directory, formatTilePath(tile));

  return {
    readTile: (tile) =>
      Promise.try(() => {
        const { level, width } = tile;
        const bytes = readIfThere(pathOf(tile));
        if (bytes !== undefined || width === TILE_WIDTH) return bytes;
        const full = readIfThere(pathOf({ ...tile, width: TILE_WIDTH }));
        return full && cutTile(full, level, width);
      }),

    async writeTiles(files) {
      for (const { tile, bytes } of files) {
        const path = pathOf(tile);
        const present = readIfThere(path);
        if (present !== undefined && !equalBytes(present, bytes)) {
          throw new Error(`${formatTilePath(tile)} is there with other bytes`);
        }
        await makeFolder(dirname(path));
        // Also when it is there already: who wrote it may have died before it was durable.
        await writeFileDurably(path, bytes);
      }
    },

    async dropPartials(tiles) {
      for (const tile of tiles) {
        if (tile.width !== TILE_WIDTH) throw new Error('the full tile is not there yet');
        await rm(`${pathOf(tile)}.p`, { recursive: true, force: true });
      }
    },

    readCheckpoint: () =>
      Promise.try(() => {
        const bytes = readIfThere(checkpoint);
        return bytes && utf8Decode(bytes);
      }),

    async writeCheckpoint(note) {
      await makeFolder(directory);
      await writeFileDurably(checkpoint, utf8Encode(note));
    },

    readTimestamp: (path) => Promise.try(() => readIfThere(join(directory, path))),

    async writeTimestamp(size, note, token) {
      const folder = join(directory, dirname(TIMESTAMPS.index));
      await makeFolder(folder);
      // Whoever sees the token finds what it is over, and whoever sees the index finds both.
      await writeFileDurably(join(directory, TIMESTAMPS.checkpoint(size)), note);
      await writeFileDurably(join(directory, TIMESTAMPS.token(size)), token);
      const names = (await readdir(folder)).filter((name) => TOKEN.test(name));
      const index = formatTimestampIndex(names.map((name) => Number.parseInt(name, 10)));
      await writeFileDurably(join(directory, TIMESTAMPS.index), utf8Encode(index));
    },
  };
}

/** The first hashes or entries of a full tile: what the partial tile of that width was. */
function cutTile(full: Uint8Array, level: Tile['level'], width: number): Uint8Array {
  if (level !== 'entries') return full.subarray(0, width * HASH_BYTES);
  return encodeEntries(parseEntries(full, TILE_WIDTH).slice(0, width));
}

/** At once: through the thread pool a small file costs thirty times the CPU, for every tile served. */
function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readFileBoundedSync(path, MAX_TILE_BYTES);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
