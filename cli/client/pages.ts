import { ProtocolError } from '../../protocol/errors.ts';

/** A page of a list, as an answer holds it. */
export interface Page<T> {
  readonly entries: readonly T[];
  /** Length of the answer. */
  readonly bytes: number;
}

/** A million statements take less; a server without an end must not fill the memory. */
const MAX_LIST_BYTES = 2 * 1024 ** 3;

/**
 * Read a paged list to its end.
 *
 * @param page - Reads one page: `''` for the first, then `?after=<position of the last entry>`.
 * @param options.after - Where to begin, if not at the start.
 * @throws {@link ProtocolError} `encoding_invalid` when positions do not rise: a server that repeats
 *   itself would keep us for ever; `too_large` above `options.maxBytes`, 2 GiB by default.
 */
export async function collectPages<T>(
  page: (query: string) => Promise<Page<T>>,
  position: (entry: T) => number,
  options: { readonly after?: number | undefined; readonly maxBytes?: number } = {},
): Promise<T[]> {
  const { after, maxBytes = MAX_LIST_BYTES } = options;
  const all: T[] = [];
  let last = after;
  let length = 0;
  for (;;) {
    const { entries, bytes } = await page(last === undefined ? '' : `?after=${last}`);
    if (entries.length === 0) return all;
    length += bytes;
    if (length > maxBytes) {
      throw new ProtocolError('too_large', `the server's list is longer than ${maxBytes} bytes`);
    }
    for (const entry of entries) {
      if (last !== undefined && position(entry) <= last) {
        throw new ProtocolError('encoding_invalid', 'the server repeats entries of a list');
      }
      last = position(entry);
      all.push(entry);
    }
  }
}
