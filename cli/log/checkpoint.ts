import { verifyEd25519 } from '../../platform/ed25519.ts';
import { parseTime } from '../../protocol/encoding/time.ts';
import { openCheckpoint, parseCheckpoint, type Checkpoint } from '../../protocol/log/checkpoint.ts';
import { leafHash, verifyInclusion } from '../../protocol/log/merkle.ts';
import { formatTilePath } from '../../protocol/log/tile-path.ts';
import { treeReader, type TreeReader } from '../../protocol/log/tree-reader.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import { requireSuccession, type SignedState } from './succession.ts';
import { TemporaryError } from '../errors.ts';
import type { Home } from '../home/home.ts';
import type { Client } from '../client/client.ts';

/** A checkpoint that extends every one this home has seen, with the note that says so. */
export type SeenCheckpoint = SignedState;

/** The part of a client that a log is read through. */
type LogClient = Pick<Client, 'checkpoint' | 'tile'>;

/** How often another process of this home may move ahead of us before we give up. */
const ATTEMPTS = 5;

/**
 * Fetch the log's newest checkpoint and hold it against the one seen before.
 *
 * The new one is remembered only once its signature and its consistency are verified. Where the log
 * broke its word, both signed notes are kept in `evidence/`: together they prove it to anybody.
 *
 * @throws {@link ProtocolError} `checkpoint_invalid` when the log shrank or forked; as
 *   `openCheckpoint`; `proof_invalid` when its tiles make no proof.
 */
export async function refreshCheckpoint(
  home: Home,
  client: LogClient,
  root: TrustRoot,
): Promise<SeenCheckpoint> {
  const verifiers = [root.logKey, ...root.witnesses];
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = (await home.state.read()).checkpoint;
    const note = await client.checkpoint();
    const checkpoint = openCheckpoint(note, root.origin, verifiers, verifyEd25519);
    if (before !== null && before.note !== note) {
      const seen = parseCheckpoint(textOf(before.note), root.origin);
      await requireSuccession(
        home,
        (path) => client.tile(path),
        { checkpoint: seen, note: before.note },
        { checkpoint, note },
      );
    }
    const isKept = await home.state.advanceCheckpoint(before, { size: checkpoint.size, note });
    if (isKept) return { checkpoint, note };
  }
  throw new TemporaryError('other commands keep moving the checkpoint', 'repeat the command');
}

/** By default the log has one checkpoint a minute. */
const RECENT_MS = 60_000;

/**
 * The checkpoint of the last command, when this home saw it within the last minute; nothing is asked
 * then. A clock that went back makes none recent.
 *
 * @throws {@link ProtocolError} as `openCheckpoint`.
 */
export async function findRecentCheckpoint(
  home: Home,
  root: TrustRoot,
  now: number,
): Promise<SeenCheckpoint | undefined> {
  const kept = (await home.state.read()).checkpoint;
  if (kept === null) return undefined;
  const age = now - parseTime(kept.seenAt);
  if (age < 0 || age > RECENT_MS) return undefined;
  const verifiers = [root.logKey, ...root.witnesses];
  const checkpoint = openCheckpoint(kept.note, root.origin, verifiers, verifyEd25519);
  return { checkpoint, note: kept.note };
}

/** Proofs of the log, from tiles as the server serves them; check them against a checkpoint. */
function logReader(client: Pick<LogClient, 'tile'>): TreeReader {
  return treeReader((level, index, width) => client.tile(formatTilePath({ level, index, width })));
}

/**
 * Verify that a leaf is in the log.
 *
 * @param leaf - The exact bytes, final newline included.
 * @throws {@link ProtocolError} `proof_invalid` when it is not; {@link TemporaryError} while the
 *   checkpoint does not reach that far.
 */
export async function verifyLogged(
  client: Pick<LogClient, 'tile'>,
  { size, root }: Checkpoint,
  index: number,
  leaf: Uint8Array,
): Promise<void> {
  if (index >= size) {
    throw new TemporaryError(
      `the log has not reached entry ${index} yet`,
      'repeat the command in a few seconds',
    );
  }
  const proof = await logReader(client).inclusionProof(index, size);
  verifyInclusion(index, size, leafHash(leaf), proof, root);
}

/** The signed part of a note that was verified before it was stored. */
function textOf(note: string): string {
  return note.slice(0, note.lastIndexOf('\n\n') + 1);
}
