import { hash } from 'node:crypto';

/** Hashes in a full tile. */
export const WIDTH = 256;
/** Bytes in a hash. */
export const HASH = 32;

/** Room for the hashes of one tile, and what they make. */
export interface TileHashes {
  /** Put hashes there, as a string of their bytes or as bytes. */
  fill(hashes: string | Uint8Array): void;
  /** Whether these bytes are the first `width` hashes and nothing else. */
  equals(bytes: Uint8Array, width: number): boolean;
  /** Root of the tree over the first `width` hashes, 1 to 256. With 256 it uses the hashes up. */
  root(width: number): Uint8Array;
}

/**
 * Make roots as fast as they can be hashed. RFC 6962 §2.1.
 *
 * The hashes stand in one buffer, and a pair is hashed in its place: the byte that comes in front of
 * it is the last one of the pair before, which has been hashed by then and is overwritten. A hash
 * comes as a string of its bytes, for which `crypto.hash` takes a third of the time of a buffer, and
 * those of a level are written at once.
 */
export function tileHashes(): TileHashes {
  /** One byte, then hashes. */
  const hashes = Buffer.alloc(1 + WIDTH * HASH);
  const pairs = Array.from({ length: WIDTH / 2 }, (_, i) =>
    hashes.subarray(2 * HASH * i, 2 * HASH * (i + 1) + 1),
  );
  const node = Buffer.alloc(1 + 2 * HASH);

  const fullRoot = (): string => {
    for (let count = WIDTH / 2; count >= 1; count /= 2) {
      let made = '';
      for (let i = 0; i < count; i++) {
        hashes[2 * HASH * i] = 1;
        made += hash('sha256', pairs[i] ?? hashes, 'binary');
      }
      hashes.write(made, 1, 'latin1');
    }
    return hashes.toString('latin1', 1, 1 + HASH);
  };

  /** Root over the hashes `start` to `end - 1`, which stay. */
  const partRoot = (start: number, end: number): string => {
    if (end - start === 1) return hashes.toString('latin1', 1 + HASH * start, 1 + HASH * end);
    let half = 1;
    while (half * 2 < end - start) half *= 2;
    const left = partRoot(start, start + half);
    const right = partRoot(start + half, end);
    node[0] = 1;
    node.write(left + right, 1, 'latin1');
    return hash('sha256', node, 'binary');
  };

  return {
    fill(given) {
      if (typeof given === 'string') hashes.write(given, 1, 'latin1');
      else hashes.set(given, 1);
    },
    equals: (bytes, width) =>
      bytes.length === width * HASH &&
      hashes.compare(bytes, 0, width * HASH, 1, 1 + width * HASH) === 0,
    root(width) {
      const root = width === WIDTH ? fullRoot() : partRoot(0, width);
      return new Uint8Array(Buffer.from(root, 'latin1'));
    },
  };
}
