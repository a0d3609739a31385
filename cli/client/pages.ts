import { ProtocolError } from '../../protocol/errors.ts';

/**
 * Read a paged list to its end.
 *
 * @param page - Reads one page: `''` for the first, then `?after=<position of the last entry>`.
 * @param after - Where to begin, if not at the start.
 * @throws {@link ProtocolError} `encoding_invalid` when positions do not rise: a server that repeats
 *   itself would keep us for ever.
 */
export async function collectPages<T>(
  page: (query: string) => Promise<readonly T[]>,
  position: (entry: T) => number,
  after?: number,
): Promise<T[]> {
  const all: T[] = [];
  let last = after;
  for (;;) {
    const entries = await page(last === undefined ? '' : `?after=${last}`);
    if (entries.length === 0) return all;
    for (const entry of entries) {
      if (last !== undefined && position(entry) <= last) {
        throw new ProtocolError('encoding_invalid', 'the server repeats entries of a list');
      }
      last = position(entry);
      all.push(entry);
    }
  }
}
