import { hash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { generateSeed, signerFromSeed } from '../platform/ed25519.ts';
import { formatCheckpoint } from '../protocol/log/checkpoint.ts';
import { encodeEntries } from '../protocol/log/entries.ts';
import { leafHash, rootOf } from '../protocol/log/merkle.ts';
import { formatTilePath, TILE_WIDTH } from '../protocol/log/tile-path.ts';
import type { Tile } from '../protocol/log/tile-path.ts';
import { noteSigner, signNote } from '../protocol/signature/note.ts';
import { formatVerifierKey, NOTE_ED25519 } from '../protocol/signature/verifier-key.ts';

const ORIGIN = 'bench.example/log';

/** A log as files, made for one measurement: nothing of it is durable. */
export interface BenchLog {
  readonly directory: string;
  /** Verifier key of the log. */
  readonly key: string;
}

/**
 * Write a log of sealed leaves into an empty folder.
 *
 * Written by its own few lines and not by what it is to measure, so that the two check each other.
 */
export function writeBenchLog(directory: string, size: number): BenchLog {
  const folders = new Set<string>();
  const write = (tile: Tile, bytes: Uint8Array): void => {
    const path = join(directory, formatTilePath(tile));
    const folder = dirname(path);
    if (!folders.has(folder)) mkdirSync(folder, { recursive: true });
    folders.add(folder);
    writeFileSync(path, bytes);
  };

  let hashes: Buffer[] = [];
  for (let start = 0; start < size; start += TILE_WIDTH) {
    const width = Math.min(TILE_WIDTH, size - start);
    const leaves = Array.from({ length: width }, (_, i) =>
      Buffer.from(`sealed/v1 ${hash('sha256', String(start + i), 'hex')}\n`, 'latin1'),
    );
    write({ level: 'entries', index: start / TILE_WIDTH, width }, encodeEntries(leaves));
    for (const leaf of leaves) {
      hashes.push(hash('sha256', Buffer.concat([Buffer.of(0), leaf]), 'buffer'));
    }
  }
  requireSame(hashes[0], leafHash(Buffer.from(`sealed/v1 ${hash('sha256', '0', 'hex')}\n`)));

  /** Root of everything to the right of the whole subtrees: one or none. */
  const rest: Uint8Array[] = [];
  for (let level = 0; hashes.length > 0; level++) {
    const parents: Buffer[] = [];
    for (let start = 0; start < hashes.length; start += TILE_WIDTH) {
      const tile = hashes.slice(start, start + TILE_WIDTH);
      write({ level, index: start / TILE_WIDTH, width: tile.length }, Buffer.concat(tile));
      if (tile.length === TILE_WIDTH) parents.push(rootOfTile(tile));
      else rest.push(rootOf([...tile, ...rest.splice(0)]));
    }
    hashes = parents;
  }
  const root = rest[0] ?? rootOf([]);
  const signer = noteSigner(ORIGIN, signerFromSeed(generateSeed()));
  const note = signNote(formatCheckpoint({ origin: ORIGIN, size, root }), signer);
  writeFileSync(join(directory, 'checkpoint'), note);
  return { directory, key: formatVerifierKey(ORIGIN, NOTE_ED25519, signer.publicKey) };
}

function rootOfTile(tile: readonly Buffer[]): Buffer {
  let hashes = tile;
  while (hashes.length > 1) {
    hashes = Array.from({ length: hashes.length / 2 }, (_, i) =>
      hash('sha256', Buffer.concat([Buffer.of(1), ...hashes.slice(2 * i, 2 * i + 2)]), 'buffer'),
    );
  }
  return hashes[0] ?? Buffer.alloc(0);
}

function requireSame(a: Uint8Array | undefined, b: Uint8Array): void {
  if (a === undefined || Buffer.compare(a, b) !== 0) throw new Error('the bench hashes wrongly');
}
