import { leafTileChecker, type LeafCounts } from './leaf-tile.ts';
import type { RangeRoots, TileRanges } from './ranges.ts';
import type { LogSource } from './source.ts';

/** Tiles of leaves asked for at a time; each is one bundle of entries and one tile of hashes. */
const AT_ONCE = 8;

/** Check ranges of a log that has to be fetched, in order. */
export async function* checkFetched(
  source: Pick<LogSource, 'tile'>,
  ranges: TileRanges,
): AsyncGenerator<RangeRoots> {
  const checker = leafTileChecker();
  for (let range = 0; range < ranges.count; range++) {
    const tiles = ranges.get(range);
    const counts: LeafCounts = {};
    const roots: Uint8Array[] = [];
    let prefixRoot: Uint8Array | undefined;
    for (let start = 0; start < tiles.length; start += AT_ONCE) {
      const batch = tiles.slice(start, start + AT_ONCE);
      const fetched = await Promise.all(
        batch.map(async (tile) => {
          const { paths } = tile;
          const [entries, hashes] = await Promise.all([
            source.tile(paths.entries),
            source.tile(paths.hashes),
          ]);
          return { tile, entries, hashes };
        }),
      );
      for (const { tile, entries, hashes } of fetched) {
        checker.bundle(entries.length).set(entries);
        const checked = checker.check(entries.length, tile, hashes, counts);
        roots.push(checked.root);
        prefixRoot = checked.prefixRoot ?? prefixRoot;
      }
    }
    yield { tiles, roots, prefixRoot, counts };
  }
}
