import { concatBytes, equalBytes, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { openCheckpoint } from '../../../protocol/log/checkpoint.ts';
import type { Checkpoint } from '../../../protocol/log/checkpoint.ts';
import { EMPTY_ROOT, leafHash, verifyConsistency } from '../../../protocol/log/merkle.ts';
import { TILE_WIDTH } from '../../../protocol/log/tile-path.ts';
import type { ReadTile } from '../../../protocol/log/tiles.ts';
import { treeReader } from '../../../protocol/log/tree-reader.ts';
import type { VerifyEd25519 } from '../../../protocol/signature/ed25519.ts';
import type { NoteVerifier } from '../../../protocol/signature/verifier-key.ts';
import type { HeadStore, LeafStore, LogFiles } from './store.ts';

/** Database and files of the log contradict each other. Going on could fork the log. */
export class LogStateError extends Error {
  override readonly name = 'LogStateError';
}

/** Where a log stands. */
interface Recovered {
  /** The last head that was signed for. */
  readonly head: Checkpoint;
  /** What everybody sees: the head, or the one before it when a crash came between. */
  readonly published: Checkpoint | undefined;
  /** Leaves that have an index, which may be more than the head has. */
  readonly numbered: number;
}

const RESTORE = 'docs/operations.md, "Restoring", says what to do';

/**
 * Find out where the log stands, after a clean stop, a crash or a restored backup.
 *
 * A crash leaves at most the head ahead of the published checkpoint, with all its tiles, and leaves
 * numbered ahead of the head. Whatever else is found is not a crash's doing, and going on would sign
 * a second history.
 *
 * @throws {@link LogStateError} when head, database, tiles and published checkpoint contradict each
 *   other, or the head is missing, with the cause and the way out.
 */
export async function recoverHead(
  log: NoteVerifier,
  verify: VerifyEd25519,
  stores: { leaves: LeafStore; heads: HeadStore; files: LogFiles },
): Promise<Recovered> {
  const { leaves, heads, files } = stores;
  const note = await files.readCheckpoint();
  const published = note === undefined ? undefined : openPublished(note, log, verify);
  const known = await heads.find(log.name).catch((cause: unknown) => {
    throw new LogStateError(`the last signed head is unreadable; ${RESTORE}`, { cause });
  });
  const numbered = await leaves.count().catch((cause: unknown) => {
    throw new LogStateError(`leaves are missing: ${messageOf(cause)}; ${RESTORE}`, { cause });
  });

  const head = known ?? { origin: log.name, size: 0, root: EMPTY_ROOT };
  const lost = Math.max(numbered, published?.size ?? 0);
  if (known === undefined && lost > 0) {
    throw new LogStateError(
      `the last signed head is missing, but the log has ${lost} leaves: was it left out of a ` +
        `backup, or is SEALDROP_LOG_HEAD another folder than before? ${RESTORE}`,
    );
  }
  if (numbered < head.size) {
    throw new LogStateError(
      `the log has signed ${head.size} leaves, the database has only ${numbered}: it was restored ` +
        `from an older backup; ${RESTORE}`,
    );
  }
  if (published !== undefined && published.size > head.size) {
    throw new LogStateError(
      `the published checkpoint has ${published.size} leaves, the last signed head only ` +
        `${head.size}: the head was restored from an older backup; ${RESTORE}`,
    );
  }
  // The empty log was published before its first leaf came.
  if (published === undefined && head.size > 0) {
    throw new LogStateError(
      `the published checkpoint is missing, of up to ${head.size} leaves; ${RESTORE}`,
    );
  }
  await requireTiles(files, head, published);
  await requireLeaves(leaves, files, head);
  if (known === undefined) await heads.create(head);
  return { head, published, numbered };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown';
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

/** The leaves in the database, and the secret that makes dummies, must be those of the last tile. */
async function requireLeaves(leaves: LeafStore, files: LogFiles, head: Checkpoint): Promise<void> {
  if (head.size === 0) return;
  const index = Math.floor((head.size - 1) / TILE_WIDTH);
  const first = index * TILE_WIDTH;
  const texts = await leaves.read(first, head.size);
  const hashes = texts.map((text) => leafHash(utf8Encode(text)));
  const tile = await readTileFrom(files)(0, index, head.size - first);
  if (!equalBytes(concatBytes(...hashes), tile)) {
    throw new LogStateError(
      `the database and keys/dummies.seed do not make the leaves from ${first} on that the log ` +
        `has; ${RESTORE}`,
    );
  }
}
