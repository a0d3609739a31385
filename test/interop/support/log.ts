import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { signerFromSeed } from '../../../platform/ed25519.ts';
import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { formatCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeEntries } from '../../../protocol/log/entries.ts';
import { formatLeaf } from '../../../protocol/log/leaf.ts';
import { leafHash, rootOf } from '../../../protocol/log/merkle.ts';
import { formatTilePath } from '../../../protocol/log/tile-path.ts';
import { tilesForGrowth, tilesOf } from '../../../protocol/log/tiles.ts';
import { noteSigner, signNote } from '../../../protocol/signature/note.ts';
import { formatVerifierKey, NOTE_ED25519 } from '../../../protocol/signature/verifier-key.ts';

export const ORIGIN = 'patches.example.org/log';
export const LOG_SIGNER = noteSigner(ORIGIN, signerFromSeed(new Uint8Array(32).fill(21)));
export const LOG_VKEY = formatVerifierKey(ORIGIN, NOTE_ED25519, LOG_SIGNER.publicKey);

/** A log on disk, as a server or a record holds one. */
export interface LogOnDisk {
  readonly path: string;
  readonly leaves: readonly Uint8Array[];
  readonly hashes: readonly Uint8Array[];
  /** Signed checkpoint of a size; only for sizes that were asked for. */
  readonly checkpoints: ReadonlyMap<number, string>;
}

/** The n-th leaf of a test log, or of a fork of it. */
export function numberedLeaf(n: number, fork = ''): Uint8Array {
  const sha256 = (fork + n.toString(16)).padStart(64, '0');
  return utf8Encode(formatLeaf({ type: 'sealed', sha256 }));
}

/**
 * Write a log that was published at each of these sizes, with our own tiles and signatures.
 *
 * @param sizes - Rising. `checkpoint` is that of the last.
 */
export async function writeLog(
  path: string,
  sizes: readonly number[],
  leafAt: (index: number) => Uint8Array = numberedLeaf,
): Promise<LogOnDisk> {
  const leaves: Uint8Array[] = [];
  const hashes: Uint8Array[] = [];
  const checkpoints = new Map<number, string>();
  const stored = new Map<string, Uint8Array>();
  const put = (file: string, bytes: Uint8Array | string): void => {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), bytes);
  };
  mkdirSync(path, { recursive: true });
  for (const size of sizes) {
    const oldSize = leaves.length;
    while (leaves.length < size) leaves.push(leafAt(leaves.length));
    const added = leaves.slice(oldSize).map(leafHash);
    hashes.push(...added);
    const files = await tilesForGrowth(oldSize, added, (level, index, width) => {
      const bytes = stored.get(formatTilePath({ level, index, width }));
      if (bytes === undefined) throw new Error('a tile of the right edge is missing');
      return bytes;
    });
    for (const { tile, bytes } of files) {
      stored.set(formatTilePath(tile), bytes);
      put(formatTilePath(tile), bytes);
    }
    for (const tile of tilesOf(size)) {
      const first = tile.index * 256;
      if (tile.level !== 'entries' || first + tile.width <= oldSize) continue;
      put(formatTilePath(tile), encodeEntries(leaves.slice(first, first + tile.width)));
    }
    const root = rootOf(hashes);
    const note = signNote(formatCheckpoint({ origin: ORIGIN, size, root }), LOG_SIGNER);
    checkpoints.set(size, note);
    put('checkpoint', note);
  }
  return { path, leaves, hashes, checkpoints };
}
