import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { generateSeed, signerFromSeed } from '../../../../platform/ed25519.ts';
import { sha256Hex, utf8Encode } from '../../../../protocol/encoding/bytes.ts';
import { formatCheckpoint } from '../../../../protocol/log/checkpoint.ts';
import { entriesForGrowth } from '../../../../protocol/log/entries.ts';
import { leafHash, rootOf } from '../../../../protocol/log/merkle.ts';
import { formatTilePath } from '../../../../protocol/log/tile-path.ts';
import { tilesForGrowth } from '../../../../protocol/log/tiles.ts';
import { noteSigner, signNote, type NoteSigner } from '../../../../protocol/signature/note.ts';
import { formatVerifierKey, NOTE_ED25519 } from '../../../../protocol/signature/verifier-key.ts';

/** The log's own key, in the hands of whoever writes a test. */
export const LOG_SIGNER = noteSigner('127.0.0.1/log', signerFromSeed(generateSeed()));
export const LOG_VKEY = formatVerifierKey(LOG_SIGNER.name, NOTE_ED25519, LOG_SIGNER.publicKey);

/** Files of a log as a server has them, `/log/…`, partial tiles of every published size included. */
export type LogFiles = Map<string, Uint8Array>;

/** Sealed leaves, all different; those of another `story` differ from the first one on. */
export function sealedLeaves(count: number, story = 'true', first = 0): string[] {
  return Array.from({ length: count }, (_, i) => {
    return `sealed/v1 ${sha256Hex(utf8Encode(`${story} ${first + i}`))}\n`;
  });
}

const none = (): never => {
  throw new Error('nothing is read of an empty log');
};

/** Add the files of a log of exactly these leaves, and replace the checkpoint. */
export async function publish(
  files: LogFiles,
  leaves: readonly string[],
  signer: NoteSigner = LOG_SIGNER,
): Promise<string> {
  const entries = leaves.map(utf8Encode);
  const hashes = entries.map(leafHash);
  const tiles = await tilesForGrowth(0, hashes, none);
  const bundles = await entriesForGrowth(0, entries, none);
  for (const { tile, bytes } of [...tiles, ...bundles]) {
    files.set(`/log/${formatTilePath(tile)}`, bytes);
  }
  const checkpoint = { origin: signer.name, size: leaves.length, root: rootOf(hashes) };
  const note = signNote(formatCheckpoint(checkpoint), signer);
  files.set('/log/checkpoint', utf8Encode(note));
  return note;
}

/** Write the files as a folder with `checkpoint` and `tile/`. */
export async function writeLog(directory: string, files: LogFiles): Promise<void> {
  for (const [path, bytes] of files) {
    const target = join(directory, path.slice('/log/'.length));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, bytes);
  }
}

/** Change one byte of a file. */
export function flip(files: LogFiles, path: string, at: number): void {
  const bytes = files.get(path);
  if (bytes === undefined) throw new Error(`no ${path}`);
  files.set(path, bytes.with(at, (bytes[at] ?? 0) ^ 1));
}
