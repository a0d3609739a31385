import { leafTileChecker, type LoggedLeaf } from './leaf-tile.ts';
import { findTile, type LogSource } from '../source.ts';
import { flawOf, tilesIn, type RangeRoots, type TileRanges } from './tile-range.ts';
import { HASH } from './tile-root.ts';

/** Tiles of leaves asked for at a time; each is one bundle of entries and one tile of hashes. */
const AT_ONCE = 8;

/** Check ranges of a log that has to be fetched, in order. */
export async function* checkFetched(
  source: Pick<LogSource, 'tile'>,
  ranges: TileRanges,
): AsyncGenerator<RangeRoots> {
  const checker = leafTileChecker();
  for (let next = 0; next < ranges.count; next++) {
    const range = ranges.get(next);
    const tiles = [...tilesIn(range)];
    const roots = new Uint8Array(tiles.length * HASH);
    const others: LoggedLeaf[] = [];
    let prefixRoot: Uint8Array | undefined;
    let flaw: string | undefined;
    for (let start = 0; start < tiles.length; start += AT_ONCE) {
      const fetched = await Promise.all(
        tiles.slice(start, start + AT_ONCE).map(async ({ tile, entriesPath, hashesPath }) => {
          const [entries, hashes] = await Promise.all([
            source.tile(entriesPath),
            findTile(source, hashesPath),
          ]);
          return { tile, entries, hashes, hashesPath };
        }),
      );
      for (const { tile, entries, hashes, hashesPath } of fetched) {
        checker.bundle(entries.length).set(entries);
        const hashTile = hashes ?? new Uint8Array();
        const checked = checker.check(entries.length, tile, hashTile, others);
        roots.set(checked.root, (tile.index - range.first) * HASH);
        prefixRoot ??= checked.prefixRoot;
        if (!checked.isStored) flaw ??= flawOf(hashesPath, hashes !== undefined);
      }
    }
    yield { roots, prefixRoot, others, flaw };
  }
}
