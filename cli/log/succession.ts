import { equalBytes } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Checkpoint } from '../../protocol/log/checkpoint.ts';
import { findFork } from '../../protocol/log/fork.ts';
import { formatTilePath } from '../../protocol/log/tile-path.ts';
import { treeReader } from '../../protocol/log/tree-reader.ts';
import type { Home } from '../home/home.ts';
import { keepEvidence } from './evidence.ts';

/** A state of a log with the note that says so, its signature verified. */
export interface SignedState {
  readonly checkpoint: Checkpoint;
  readonly note: string;
}

type ReadTileAt = (path: string) => Promise<Uint8Array>;

/**
 * Check that a log which was seen in one state has grown into another.
 *
 * Where it broke its word, both signed notes are kept in `evidence/`, with the proof of the fork
 * that anybody can check offline.
 *
 * @param readTile - Of the log with the state `shown`; what comes is not believed.
 * @throws {@link ProtocolError} `checkpoint_invalid` when the log shrank or forked, naming the
 *   evidence; `proof_invalid` when the tiles decide nothing.
 */
export async function requireSuccession(
  home: Home,
  readTile: ReadTileAt,
  seen: SignedState,
  shown: SignedState,
): Promise<void> {
  const [size1, size2] = [seen.checkpoint.size, shown.checkpoint.size];
  const notes = { seen: seen.note, shown: shown.note };
  if (size2 < size1) {
    const path = await keepEvidence(home, { kind: 'shrunk', ...notes });
    throw broken(`the log had ${size1} entries before and now shows ${size2}`, path);
  }
  const tree = treeReader((level, index, width) =>
    readTile(formatTilePath({ level, index, width })),
  );
  const proof = await findFork(seen.checkpoint, shown.checkpoint, tree).catch(
    async (error: unknown) => {
      if (!(error instanceof ProtocolError)) throw error;
      const path = await keepEvidence(home, { kind: 'unproven', ...notes });
      throw new ProtocolError(
        'proof_invalid',
        `the tiles do not show whether the log with ${size2} entries extends the one with ` +
          `${size1}: ${error.message}; both signed states are kept in ${path}`,
        { cause: error },
      );
    },
  );
  if (proof === undefined) return;
  const path = await keepEvidence(home, { kind: 'forked', ...notes, proof });
  throw broken(`the log with ${size2} entries does not extend the one with ${size1}`, path);
}

/** Whether two states are the same one. */
export function isSameState(a: Checkpoint, b: Checkpoint): boolean {
  return a.size === b.size && equalBytes(a.root, b.root);
}

function broken(what: string, path: string): ProtocolError {
  return new ProtocolError(
    'checkpoint_invalid',
    `${what}; tell the other officers and operators, both signed states are in ${path}`,
  );
}
