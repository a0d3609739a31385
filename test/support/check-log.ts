import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

import { concatBytes, equalBytes, utf8Decode } from '../../protocol/encoding/bytes.ts';
import { openCheckpoint } from '../../protocol/log/checkpoint.ts';
import type { Checkpoint } from '../../protocol/log/checkpoint.ts';
import { encodeEntries, parseEntries } from '../../protocol/log/entries.ts';
import { parseLeaf } from '../../protocol/log/leaf.ts';
import { leafHash, rootOf } from '../../protocol/log/merkle.ts';
import { formatTilePath, parseTilePath } from '../../protocol/log/tile-path.ts';
import { isTileOf, tilesOf } from '../../protocol/log/tiles.ts';
import type { Tile } from '../../protocol/log/tile-path.ts';
import type { VerifyEd25519 } from '../../protocol/signature/ed25519.ts';
import type { NoteVerifier } from '../../protocol/signature/verifier-key.ts';

/** What the files of a log say. */
export interface CheckedLog {
  readonly checkpoint: Checkpoint;
  readonly leaves: readonly string[];
  /** Paths of stored tiles that the checkpoint does not cover: what a crash may leave behind. */
  readonly beyond: readonly string[];
}

/**
 * Recompute every invariant of a log from its files alone: the checkpoint is by the log; all its
 * tiles and bundles are there; every stored tile, of this size or an earlier one, has exactly the
 * bytes that the leaves give by definition; every entry is a leaf of ours; the root is theirs.
 */
export async function checkLog(
  folder: string,
  log: NoteVerifier,
  verify: VerifyEd25519,
): Promise<CheckedLog> {
  const note = utf8Decode(await readFile(join(folder, 'checkpoint')));
  const checkpoint = openCheckpoint(note, log.name, [log], verify);
  const read = (tile: Tile): Promise<Uint8Array> => readFile(join(folder, formatTilePath(tile)));

  const entries: Uint8Array[] = [];
  for (const tile of tilesOf(checkpoint.size)) {
    const bytes = await read(tile);
    if (tile.level === 'entries') entries.push(...parseEntries(bytes, tile.width));
  }
  assert.equal(entries.length, checkpoint.size);
  const leaves = entries.map(utf8Decode);
  for (const leaf of leaves) parseLeaf(leaf);
  const hashes = entries.map(leafHash);
  assert.ok(equalBytes(rootOf(hashes), checkpoint.root), 'the leaves have another root');

  const beyond: string[] = [];
  for (const path of await tilePaths(folder)) {
    const tile = parseTilePath(path);
    if (!isTileOf(tile, checkpoint.size)) {
      beyond.push(path);
    } else {
      assert.ok(equalBytes(await read(tile), bytesOf(tile, entries, hashes)), `${path} differs`);
    }
  }
  return { checkpoint, leaves, beyond };
}

/** A tile's bytes, straight from the definition. */
function bytesOf(
  { level, index, width }: Tile,
  entries: readonly Uint8Array[],
  hashes: readonly Uint8Array[],
): Uint8Array {
  const first = index * 256;
  if (level === 'entries') return encodeEntries(entries.slice(first, first + width));
  const span = 256 ** level;
  const nodes = Array.from({ length: width }, (_, i) =>
    rootOf(hashes.slice((first + i) * span, (first + i + 1) * span)),
  );
  return concatBytes(...nodes);
}

/** All files below `tile/` but those, named with a dot in front, that a crash left half written. */
async function tilePaths(folder: string): Promise<string[]> {
  const files = await readdir(join(folder, 'tile'), { recursive: true, withFileTypes: true }).catch(
    () => [],
  );
  return files
    .filter((file) => file.isFile() && !file.name.startsWith('.'))
    .map((file) => relative(folder, join(file.parentPath, file.name)).replaceAll(sep, '/'));
}
