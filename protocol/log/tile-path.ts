import { ProtocolError } from '../errors.ts';

/** Hashes in a full tile, and entries in a full entry bundle. */
export const TILE_WIDTH = 256;

/**
 * One immutable resource of the log. C2SP tlog-tiles.
 *
 * At level 0 the hashes are leaf hashes, at level `l` the roots of `256^l` leaves each; level
 * `entries` holds the leaves themselves. `width` is 1 to 256, and 256 means a full tile.
 */
export interface Tile {
  readonly level: number | 'entries';
  readonly index: number;
  readonly width: number;
}

const TILE_PATH =
  /^tile\/(?<level>entries|0|[1-9]\d?)\/(?<index>(?:x\d{3}\/){0,5}\d{3})(?:\.p\/(?<width>[1-9]\d{0,2}))?$/;

/** Path below the log's prefix, such as `tile/0/x001/234.p/5`. */
export function formatTilePath({ level, index, width }: Tile): string {
  const digits = String(index);
  // 1234067 becomes x001/x234/067: groups of three, all but the last behind an x.
  const groups = digits
    .padStart(Math.ceil(digits.length / 3) * 3, '0')
    .replaceAll(/\d{3}(?=\d)/g, 'x$&/');
  const partial = width === TILE_WIDTH ? '' : `.p/${width}`;
  return `tile/${level}/${groups}${partial}`;
}

/**
 * The tile that a path names; the exact inverse of {@link formatTilePath}.
 *
 * @throws {@link ProtocolError} `encoding_invalid` for any other spelling: a leading zero, a group of
 *   zeros in front, a width of 0 or of 256 and more, a level above 63, an index beyond 2^53 - 1.
 */
export function parseTilePath(path: string): Tile {
  const groups = TILE_PATH.exec(path)?.groups;
  const level = groups?.['level'] === 'entries' ? 'entries' : Number(groups?.['level']);
  const index = Number(groups?.['index']?.replaceAll(/[x/]/g, ''));
  const width = Number(groups?.['width'] ?? TILE_WIDTH);
  const tile: Tile = { level, index, width };
  if (
    groups === undefined ||
    (level !== 'entries' && level > 63) ||
    width > TILE_WIDTH ||
    !Number.isSafeInteger(index) ||
    formatTilePath(tile) !== path
  ) {
    throw new ProtocolError('encoding_invalid', 'malformed tile path');
  }
  return tile;
}
