import { join } from 'node:path';
import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { parseEntries } from '../../protocol/log/entries.ts';
import { parseLeaf, type Leaf } from '../../protocol/log/leaf.ts';
import { HASH_BYTES } from '../../protocol/log/merkle.ts';
import { parseTilePath, TILE_WIDTH } from '../../protocol/log/tile-path.ts';
import { tilesOf, tileWidth, type ReadTile } from '../../protocol/log/tiles.ts';
import { LIMIT, RECORD } from '../../protocol/record/layout.ts';
import { AbsentFileError, type RecordFiles } from '../record/record-files.ts';
import { missing, type LogSource } from '../log/source.ts';

/** Paths in a record of all tiles and entry bundles of a log. */
export function* tilePaths(size: number): Generator<string> {
  for (const tile of tilesOf(size)) yield RECORD.tile(tile);
}

/**
 * The log of a record. Threads may read it by themselves where every tile is there as a regular file:
 * an audit opens nothing else.
 */
export function recordSource(
  files: RecordFiles,
  size: number,
): Pick<LogSource, 'tile' | 'directory'> {
  const { directory, sizes } = files;
  const isWhole = tilePaths(size).every((path) => sizes.has(path));
  return {
    ...(directory !== undefined && isWhole && { directory: join(directory, 'log') }),
    async tile(path) {
      try {
        return await files.read(RECORD.tile(parseTilePath(path)), LIMIT.tile);
      } catch (error) {
        throw error instanceof AbsentFileError ? missing(path) : error;
      }
    },
  };
}

/** Tiles as an older tree had them, cut out of those that are there now. */
export function olderTiles(files: RecordFiles, size: number): ReadTile {
  return async (level, index, width) => {
    const path = RECORD.tile({ level, index, width: tileWidth(level, index, size) });
    return (await files.read(path, LIMIT.tile)).subarray(0, width * HASH_BYTES);
  };
}

/** Finds the leaf at an index; fastest when asked in the order of the log. */
export type LeafReader = (index: number) => Promise<Leaf>;

/** Read leaves one by one, holding one bundle at a time. They were checked before. */
export function leafReader(files: RecordFiles, size: number): LeafReader {
  let read = { tile: -1, entries: [] as readonly Uint8Array[] };
  return async (index) => {
    const tile = Math.floor(index / TILE_WIDTH);
    if (read.tile !== tile) {
      const width = tileWidth('entries', tile, size);
      const path = RECORD.tile({ level: 'entries', index: tile, width });
      read = { tile, entries: parseEntries(await files.read(path, LIMIT.tile), width) };
    }
    return parseLeaf(utf8Decode(read.entries[index % TILE_WIDTH] ?? new Uint8Array()));
  };
}
