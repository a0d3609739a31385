import { verifyEd25519 } from '../../platform/ed25519.ts';
import { sha256Hex, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { openCheckpoint, parseCheckpoint, type Checkpoint } from '../../protocol/log/checkpoint.ts';
import { leafHash, verifyConsistency, verifyInclusion } from '../../protocol/log/merkle.ts';
import { formatTilePath } from '../../protocol/log/tiles.ts';
import { treeReader, type TreeReader } from '../../protocol/log/tree-reader.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import { TemporaryError } from '../errors.ts';
import { writeAtomically } from '../home/files.ts';
import type { Home } from '../home/home.ts';
import type { Client } from './client.ts';

/** A checkpoint that extends every one this home has seen, with the note that says so. */
export interface SeenCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly note: string;
}

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
      await requireExtension(
        home,
        client,
        { checkpoint: seen, note: before.note },
        { checkpoint, note },
      );
    }
    const isKept = await home.state.advanceCheckpoint(before, { size: checkpoint.size, note });
    if (isKept) return { checkpoint, note };
  }
  throw new TemporaryError('other commands keep moving the checkpoint', 'repeat the command');
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

async function requireExtension(
  home: Home,
  client: LogClient,
  before: SeenCheckpoint,
  now: SeenCheckpoint,
): Promise<void> {
  const [{ size: size1, root: root1 }, { size: size2, root: root2 }] = [
    before.checkpoint,
    now.checkpoint,
  ];
  if (size2 < size1) {
    const path = await keepEvidence(home, 'shrunk', before, now);
    throw broken(`the log had ${size1} entries before and now shows ${size2}`, path);
  }
  if (size1 === 0) return;
  const proof = size1 === size2 ? [] : await logReader(client).consistencyProof(size1, size2);
  try {
    verifyConsistency(size1, size2, proof, root1, root2);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const path = await keepEvidence(home, 'forked', before, now);
    throw broken(
      `the log with ${size2} entries does not extend the one with ${size1}`,
      path,
      error,
    );
  }
}

function broken(what: string, path: string, cause?: Error): ProtocolError {
  return new ProtocolError(
    'checkpoint_invalid',
    `${what}; tell the other officers and operators, the signed proof is ${path}`,
    { cause },
  );
}

async function keepEvidence(
  home: Home,
  kind: 'shrunk' | 'forked',
  before: SeenCheckpoint,
  now: SeenCheckpoint,
): Promise<string> {
  const evidence = { format: 'sealdrop-evidence/v1', kind, seen: before.note, shown: now.note };
  const json = `${JSON.stringify(evidence, null, 2)}\n`;
  const path = home.path(
    'evidence',
    `log-${kind}-${sha256Hex(utf8Encode(json)).slice(0, 16)}.json`,
  );
  await writeAtomically(path, json);
  return path;
}

/** The signed part of a note that was verified before it was stored. */
function textOf(note: string): string {
  return note.slice(0, note.lastIndexOf('\n\n') + 1);
}
