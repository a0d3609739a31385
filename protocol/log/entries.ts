import { concatBytes } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import { TILE_WIDTH } from './tile-path.ts';
import { chunks, tileWidth } from './tiles.ts';
import type { TileFile } from './tiles.ts';

/** Longest leaf, in bytes: an entry bundle has 16 bits for it. */
const MAX_ENTRY_BYTES = 0xffff;

/** Fetch an entry bundle's bytes; must throw when there is no such bundle. */
export type ReadEntries = (index: number, width: number) => Uint8Array | Promise<Uint8Array>;

/**
 * The bytes of an entry bundle: each leaf behind its length as a big-endian uint16. C2SP tlog-tiles.
 *
 * @throws {@link ProtocolError} `too_large` when a leaf is longer than 65,535 bytes.
 */
export function encodeEntries(leaves: readonly Uint8Array[]): Uint8Array {
  return concatBytes(
    ...leaves.flatMap((leaf) => {
      if (leaf.length > MAX_ENTRY_BYTES) throw new ProtocolError('too_large', 'leaf is too long');
      return [Uint8Array.of(leaf.length >> 8, leaf.length & 0xff), leaf];
    }),
  );
}

/**
 * The leaves in an entry bundle of this width; the exact inverse of {@link encodeEntries}.
 *
 * @throws {@link ProtocolError} `encoding_invalid` unless the bytes are exactly `width` entries.
 */
export function parseEntries(bytes: Uint8Array, width: number): Uint8Array[] {
  const leaves: Uint8Array[] = [];
  let offset = 0;
  while (leaves.length < width) {
    const [high, low] = bytes.subarray(offset, offset + 2);
    if (high === undefined || low === undefined) throw malformed();
    const end = offset + 2 + ((high << 8) | low);
    if (end > bytes.length) throw malformed();
    leaves.push(bytes.subarray(offset + 2, end));
    offset = end;
  }
  if (offset !== bytes.length) throw malformed();
  return leaves;
}

/**
 * The entry bundles to store when a log grows; see `tilesForGrowth`.
 *
 * @throws {@link ProtocolError} `too_large`; `encoding_invalid` when the bundle read is malformed.
 */
export async function entriesForGrowth(
  oldSize: number,
  newLeaves: readonly Uint8Array[],
  readEntries: ReadEntries,
): Promise<TileFile[]> {
  const first = Math.floor(oldSize / TILE_WIDTH);
  const width = tileWidth('entries', first, oldSize);
  const edge = width === 0 ? [] : parseEntries(await readEntries(first, width), width);
  if (newLeaves.length === 0) return [];
  return chunks([...edge, ...newLeaves]).map((chunk, offset) => ({
    tile: { level: 'entries', index: first + offset, width: chunk.length },
    bytes: encodeEntries(chunk),
  }));
}

function malformed(): ProtocolError {
  return new ProtocolError('encoding_invalid', 'malformed entry bundle');
}
