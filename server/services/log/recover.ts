import { equalBytes } from '../../../protocol/encoding/bytes.ts';
import { openCheckpoint } from '../../../protocol/log/checkpoint.ts';
import type { Checkpoint } from '../../../protocol/log/checkpoint.ts';
import { EMPTY_ROOT, verifyConsistency } from '../../../protocol/log/merkle.ts';
import type { ReadTile } from '../../../protocol/log/tiles.ts';
import { treeReader } from '../../../protocol/log/tree-reader.ts';
import type { VerifyEd25519 } from '../../../protocol/signature/ed25519.ts';
import type { NoteVerifier } from '../../../protocol/signature/note.ts';
import type { HeadStore, LeafStore, LogFiles } from './store.ts';

/** Database and files of the log contradict each other. Going on could fork the log. */
export class LogStateError extends Error {
  override readonly name = 'LogStateError';
}

/**
 * Find out where the log stands, after a clean stop, a crash or a restored backup.
 *
 * A crash leaves at most the database ahead of the published checkpoint, by a head whose tiles are
 * all there. Whatever else is found is not a crash's doing.
 *
 * @returns The head to go on from, and whether its checkpoint is the published one.
 * @throws {@link LogStateError} when the published checkpoint is not the log's, is ahead of the
 *   database or differs from it, or when tiles or leaves do not add up to the head.
 */
export async function recoverHead(
  log: NoteVerifier,
  verify: VerifyEd25519,
  stores: { leaves: LeafStore; heads: HeadStore; files: LogFiles },
): Promise<{ head: Checkpoint; isPublished: boolean }> {
  const { leaves, heads, files } = stores;
  const note = await files.readCheckpoint();
  const published = note === undefined ? undefined : openPublished(note, log, verify);
  const known = await heads.find(log.name);
  const head = known ?? { origin: log.name, size: 0, root: EMPTY_ROOT };

  if (published !== undefined && published.size > head.size) {
    throw new LogStateError(
      `the published checkpoint has ${published.size} leaves, the database only ${head.size}: ` +
        'it looks restored from a backup; restore a later one',
    );
  }
  // The empty log was published before its first leaf came.
  if (published === undefined && head.size > 0) {
    throw new LogStateError(`the published checkpoint is missing, of up to ${head.size} leaves`);
  }
  const count = await leaves.count();
  if (count < head.size || (known === undefined && count > 0)) {
    throw new LogStateError(`the database has ${count} leaves, but its head has ${head.size}`);
  }
  await requireTiles(files, head, published);
  if (known === undefined) await heads.create(head);
  return { head, isPublished: published?.size === head.size };
}

/** Read tiles from a log's files. @throws {@link LogStateError} when one is missing. */
export function readTileFrom(files: LogFiles): ReadTile {
  return async (level, index, width) => {
    const bytes = await files.readTile({ level, index, width });
    if (bytes === undefined) {
      throw new LogStateError(`tile ${index} of level ${level} and width ${width} is missing`);
    }
    return bytes;
  };
}

function openPublished(note: string, log: NoteVerifier, verify: VerifyEd25519): Checkpoint {
  try {
    return openCheckpoint(note, log.name, [log], verify);
  } catch (cause) {
    throw new LogStateError('the published checkpoint is not by this log', { cause });
  }
}

/** The tiles must have the head's root and extend what is published. */
async function requireTiles(
  files: LogFiles,
  head: Checkpoint,
  published: Checkpoint | undefined,
): Promise<void> {
  const tree = treeReader(readTileFrom(files));
  if (!equalBytes(await tree.root(head.size), head.root)) {
    throw new LogStateError(`the tiles do not have the root of the head, ${head.size} leaves`);
  }
  if (published === undefined || published.size === 0) return;
  const proof = await tree.consistencyProof(published.size, head.size);
  try {
    verifyConsistency(published.size, head.size, proof, published.root, head.root);
  } catch (cause) {
    throw new LogStateError('the published checkpoint is not part of the log', { cause });
  }
}
