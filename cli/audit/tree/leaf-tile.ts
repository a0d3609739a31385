import { hash } from 'node:crypto';
import { ProtocolError } from '../../../protocol/errors.ts';
import { accountedSpan, parseLeaf, type Leaf } from '../../../protocol/log/leaf.ts';
import { tileHashes, WIDTH } from './tile-root.ts';

/** How many leaves of each type there are. */
export type LeafCounts = Partial<Record<Leaf['type'], number>>;

/** The part of a log between two tile boundaries: up to 256 leaves. */
export interface LeafTile {
  readonly index: number;
  /** Leaves in it: 256 but in the last one. */
  readonly width: number;
  /** Where its entry bundle and its hash tile are. */
  readonly paths: { readonly entries: string; readonly hashes: string };
  /** How many of its leaves an older tree had, whose root is being made; undefined for most. */
  readonly prefix?: number;
  /** How many of its leaves were counted before; undefined for none. */
  readonly counted?: number;
}

export interface LeafTileRoots {
  /** Root over all leaves of the tile. */
  readonly root: Uint8Array;
  /** Root over its first `prefix` leaves, if any were asked for. */
  readonly prefixRoot: Uint8Array | undefined;
}

export interface LeafTileChecker {
  /**
   * Where to put the bytes of the next entry bundle: one buffer, used again and again.
   *
   * @param length - At least this many bytes.
   */
  bundle(length: number): Buffer;
  /**
   * Check the bundle that was put there, which is used up by it: every leaf is one of ours, and
   * their hashes are the hash tile.
   *
   * @param length - Of the bundle, in bytes.
   * @param hashTile - As stored or served.
   * @param counts - Added to.
   * @throws {@link ProtocolError} `encoding_invalid`, `leaf_invalid` or `proof_invalid`.
   */
  check(length: number, tile: LeafTile, hashTile: Uint8Array, counts: LeafCounts): LeafTileRoots;
}

/** Nearly all leaves are sealed ones; each stands behind the two bytes of its length. */
const SEALED_BYTES = 75;
const SEALED_STRIDE = 2 + SEALED_BYTES;
const SEALED_START = Buffer.from('sealed/v1 ', 'latin1');
const LINE_FEED = 0x0a;
/** Room for a full bundle of sealed leaves. */
const BUNDLE_BYTES = 32 * 1024;

/** 1 for the bytes of lower-case hex digits. */
const IS_HEX = new Uint8Array(256);
for (const digit of '0123456789abcdef') IS_HEX[digit.charCodeAt(0)] = 1;

/**
 * Check tiles of leaves as fast as they can be hashed.
 *
 * A leaf is hashed where it stands in the bundle: the byte that RFC 6962 puts in front of it replaces
 * the second byte of its length, which has been read by then.
 */
export function leafTileChecker(): LeafTileChecker {
  const made = tileHashes();
  let bundle = Buffer.alloc(0);
  /** The leaves of a bundle of sealed ones, each behind one byte. */
  let sealedViews: readonly Buffer[] = [];
  const growTo = (length: number): void => {
    bundle = Buffer.alloc(length);
    sealedViews = Array.from({ length: WIDTH }, (_, i) =>
      bundle.subarray(SEALED_STRIDE * i + 1, SEALED_STRIDE * (i + 1)),
    );
  };
  growTo(BUNDLE_BYTES);

  /** Hash leaves of any kind. */
  const hashLeaves = (length: number, tile: LeafTile, counts: LeafCounts): string => {
    const { index, width, counted = 0 } = tile;
    let hashes = '';
    let offset = 0;
    for (let i = 0; i < width; i++) {
      const start = offset + 2;
      const end = start + (((bundle[offset] ?? 0) << 8) | (bundle[offset + 1] ?? 0));
      if (end > length) throw malformedBundle(index);
      const type = typeOf(bundle.toString('latin1', start, end), index * WIDTH + i);
      if (i >= counted) counts[type] = (counts[type] ?? 0) + 1;
      bundle[offset + 1] = 0;
      hashes += hash('sha256', bundle.subarray(offset + 1, end), 'binary');
      offset = end;
    }
    if (offset !== length) throw malformedBundle(index);
    return hashes;
  };

  /** As {@link hashLeaves}, for a bundle of sealed leaves only; undefined for any other. */
  const hashSealed = (
    length: number,
    { width, counted = 0 }: LeafTile,
    counts: LeafCounts,
  ): string | undefined => {
    if (length !== SEALED_STRIDE * width) return undefined;
    for (let i = 0; i < width; i++) {
      if (!isSealed(bundle, SEALED_STRIDE * i)) return undefined;
    }
    let hashes = '';
    for (let i = 0; i < width; i++) {
      bundle[SEALED_STRIDE * i + 1] = 0;
      hashes += hash('sha256', sealedViews[i] ?? bundle, 'binary');
    }
    counts.sealed = (counts.sealed ?? 0) + width - counted;
    return hashes;
  };

  return {
    bundle(length) {
      if (length > bundle.length) growTo(length);
      return bundle;
    },
    check(length, tile, hashTile, counts) {
      const { width, prefix } = tile;
      made.fill(hashSealed(length, tile, counts) ?? hashLeaves(length, tile, counts));
      if (!made.equals(hashTile, width)) {
        const message = `${tile.paths.hashes} is not what the leaves make it`;
        throw new ProtocolError('proof_invalid', message);
      }
      const prefixRoot = prefix === undefined ? undefined : made.root(prefix);
      return { root: made.root(width), prefixRoot };
    },
  };
}

/** Whether a well-formed sealed leaf stands at `offset`, its length in front of it. */
function isSealed(bytes: Buffer, offset: number): boolean {
  if (bytes[offset] !== 0 || bytes[offset + 1] !== SEALED_BYTES) return false;
  let isGood = 1;
  for (let i = 0; i < SEALED_START.length; i++) {
    if (bytes[offset + 2 + i] !== SEALED_START[i]) isGood = 0;
  }
  const end = offset + SEALED_STRIDE - 1;
  for (let i = offset + 2 + SEALED_START.length; i < end; i++) {
    isGood &= IS_HEX[bytes[i] ?? 0] ?? 0;
  }
  return isGood === 1 && bytes[end] === LINE_FEED;
}

/** Leaves are ASCII, and what is not one is refused: how its bytes are decoded does not matter. */
function typeOf(text: string, index: number): Leaf['type'] {
  try {
    const leaf = parseLeaf(text);
    const span = accountedSpan(leaf);
    if (span !== undefined && span.last >= index) {
      throw new ProtocolError('leaf_invalid', 'accounts for a leaf that is not before it');
    }
    return leaf.type;
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    throw new ProtocolError('leaf_invalid', `leaf ${index}: ${cause.message}`, { cause });
  }
}

function malformedBundle(index: number): ProtocolError {
  return new ProtocolError('encoding_invalid', `entry bundle ${index} is malformed`);
}
