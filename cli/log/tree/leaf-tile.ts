import { hash } from 'node:crypto';
import { ProtocolError } from '../../../protocol/errors.ts';
import { parseLeaf, type Leaf } from '../../../protocol/log/leaf.ts';
import { tileHashes, WIDTH } from './tile-root.ts';

/** A leaf with its place in the log. */
export interface LoggedLeaf {
  readonly index: number;
  readonly leaf: Leaf;
}

/** The part of a log between two tile boundaries: up to 256 leaves. */
export interface LeafTile {
  readonly index: number;
  /** Leaves in it: 256 but in the last one. */
  readonly width: number;
  /** How many of its leaves an older tree had, whose root is being made; 0 for most. */
  readonly prefix: number;
}

/** What the leaves of a tile make. */
export interface LeafTileRoots {
  /** Root over all leaves of the tile. */
  readonly root: Uint8Array;
  /** Root over its first `prefix` leaves, if any were asked for. */
  readonly prefixRoot: Uint8Array | undefined;
  /** Whether the hash tile is what the leaves make it. */
  readonly isStored: boolean;
}

export interface LeafTileChecker {
  /**
   * Where to put the bytes of the next entry bundle: one buffer, used again and again.
   *
   * @param length - At least this many bytes.
   */
  bundle(length: number): Buffer;
  /**
   * Check the bundle that was put there, which is used up by it: every leaf is one of ours.
   *
   * @param length - Of the bundle, in bytes.
   * @param hashTile - As stored or served.
   * @param others - Every leaf that is not a sealed one is added to them.
   * @throws {@link ProtocolError} `encoding_invalid` or `leaf_invalid`.
   */
  check(length: number, tile: LeafTile, hashTile: Uint8Array, others: LoggedLeaf[]): LeafTileRoots;
}

/** Nearly all leaves are sealed ones: 75 bytes, behind the two bytes of their length. */
const SEALED_STRIDE = 2 + 75;
/** How they begin, length included, in words of four bytes. */
const [SEALED_0, SEALED_1, SEALED_2] = [0, 4, 8].map((at) =>
  Buffer.from('\0\x4bsealed/v1 ', 'latin1').readUInt32BE(at),
);
const DIGITS_START = 12;
const LINE_FEED = 0x0a;
/** Room for a full bundle of sealed leaves. */
const BUNDLE_BYTES = 32 * 1024;

/** 1 for every two bytes that are lower-case hex digits. */
const IS_HEX = new Uint8Array(65_536);
for (const high of Buffer.from('0123456789abcdef')) {
  for (const low of Buffer.from('0123456789abcdef')) IS_HEX[(low << 8) | high] = 1;
}

/**
 * Check tiles of leaves as fast as they can be hashed.
 *
 * A leaf is hashed where it stands in the bundle: the byte that RFC 6962 puts in front of it replaces
 * the second byte of its length, which has been read by then.
 */
export function leafTileChecker(): LeafTileChecker {
  const made = tileHashes();
  let bundle = Buffer.alloc(0);
  let view = new DataView(bundle.buffer);
  /** The leaves of a bundle of sealed ones, each behind one byte. */
  let sealedViews: readonly Buffer[] = [];
  const growTo = (length: number): void => {
    bundle = Buffer.alloc(length);
    view = new DataView(bundle.buffer, bundle.byteOffset, length);
    sealedViews = Array.from({ length: WIDTH }, (_, i) =>
      bundle.subarray(SEALED_STRIDE * i + 1, SEALED_STRIDE * (i + 1)),
    );
  };
  growTo(BUNDLE_BYTES);

  const hashLeaves = (length: number, tile: LeafTile, others: LoggedLeaf[]): string => {
    let hashes = '';
    let offset = 0;
    for (let i = 0; i < tile.width; i++) {
      let input = sealedViews[i] ?? bundle;
      let end = offset + SEALED_STRIDE;
      const isOneOfMany = end <= length && isSealed(view, offset);
      if (!isOneOfMany) {
        if (offset + 2 > length) throw malformedBundle(tile.index);
        end = offset + 2 + view.getUint16(offset);
        if (end > length) throw malformedBundle(tile.index);
        const index = tile.index * WIDTH + i;
        others.push({ index, leaf: leafAt(index, bundle.toString('latin1', offset + 2, end)) });
      }
      if (offset !== SEALED_STRIDE * i || !isOneOfMany) input = bundle.subarray(offset + 1, end);
      bundle[offset + 1] = 0;
      hashes += hash('sha256', input, 'binary');
      offset = end;
    }
    if (offset !== length) throw malformedBundle(tile.index);
    return hashes;
  };

  return {
    bundle(length) {
      if (length > bundle.length) growTo(length);
      return bundle;
    },
    check(length, tile, hashTile, others) {
      const { width, prefix } = tile;
      made.fill(hashLeaves(length, tile, others));
      const isStored = made.equals(hashTile, width);
      const prefixRoot = prefix === 0 ? undefined : made.root(prefix);
      return { root: made.root(width), prefixRoot, isStored };
    },
  };
}

/** Whether a well-formed sealed leaf stands at `offset`, its length in front of it. */
function isSealed(view: DataView, offset: number): boolean {
  const isStart =
    view.getUint32(offset) === SEALED_0 &&
    view.getUint32(offset + 4) === SEALED_1 &&
    view.getUint32(offset + 8) === SEALED_2;
  if (!isStart) return false;
  const end = offset + SEALED_STRIDE - 1;
  let isHex = 1;
  for (let at = offset + DIGITS_START; at < end; at += 2) {
    isHex &= IS_HEX[view.getUint16(at, true)] ?? 0;
  }
  return isHex === 1 && view.getUint8(end) === LINE_FEED;
}

/** Leaves are ASCII, and what is not one is refused: how its bytes are decoded does not matter. */
function leafAt(index: number, text: string): Leaf {
  try {
    return parseLeaf(text);
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    throw new ProtocolError('leaf_invalid', `leaf ${index}: ${cause.message}`, { cause });
  }
}

function malformedBundle(index: number): ProtocolError {
  return new ProtocolError('encoding_invalid', `entry bundle ${index} is malformed`);
}
