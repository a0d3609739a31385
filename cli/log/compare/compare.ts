import { toBase64 } from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { findFork, verifyFork } from '../../../protocol/log/fork.ts';
import { formatTilePath } from '../../../protocol/log/tile-path.ts';
import { treeReader } from '../../../protocol/log/tree-reader.ts';
import { CliError } from '../../errors.ts';
import type { LogEvidence } from '../evidence.ts';
import type { LogKeys } from '../log-keys.ts';
import { openState } from '../signed-state.ts';
import type { LogSource } from '../source.ts';
import type { View } from './view.ts';

/** What two views of a log say together. */
export interface Comparison {
  readonly older: View;
  readonly newer: View;
  /** How it is known. */
  readonly why: string;
  /** That they are not of one history; undefined when they are. */
  readonly fork: LogEvidence | undefined;
}

/**
 * Hold two views of a log against each other.
 *
 * @param tiles - Where the tiles of the larger one may be, besides in the views themselves.
 * @throws {@link CliError} when no tiles are at hand that could decide; {@link ProtocolError}
 *   `proof_invalid` when those at hand decide nothing.
 */
export async function compareViews(
  a: View,
  b: View,
  tiles: readonly LogSource[],
): Promise<Comparison> {
  const [older, newer] = a.checkpoint.size <= b.checkpoint.size ? [a, b] : [b, a];
  const [size1, size2] = [older.checkpoint.size, newer.checkpoint.size];
  if (size1 === 0) {
    return { older, newer, why: 'every log extends the empty one', fork: undefined };
  }
  if (size1 === size2) {
    const proof = await findFork(older.checkpoint, newer.checkpoint, noTree);
    const why = proof ? 'one log has two roots for the same size' : 'they are the same state';
    return { older, newer, why, fork: proof && forkOf(older, newer, proof) };
  }
  const sources = [newer.source, ...tiles].filter((it) => it !== undefined);
  const proof = await firstAnswer(sources, (source) => {
    const tree = treeReader((level, index, width) =>
      source.tile(formatTilePath({ level, index, width })),
    );
    return findFork(older.checkpoint, newer.checkpoint, tree);
  });
  if (proof === undefined) {
    const why = `a consistency proof leads from the root at ${size1} to the one at ${size2}`;
    return { older, newer, why, fork: undefined };
  }
  return { older, newer, why: whyForked(older, newer, proof), fork: forkOf(older, newer, proof) };
}

/**
 * Judge evidence of a fork from its file alone.
 *
 * @returns What it proves; undefined when only tiles can decide, which `compareViews` asks for.
 * @throws {@link ProtocolError} `proof_invalid` for a proof that does not hold; as `openCheckpoint`.
 */
export function judgeEvidence(
  evidence: LogEvidence,
  name: string,
  keys: LogKeys,
): { readonly views: readonly [View, View]; readonly proven: Comparison | undefined } {
  const views: [View, View] = [
    { name: `${name}, seen first`, ...openState(evidence.seen, keys) },
    { name: `${name}, shown afterwards`, ...openState(evidence.shown, keys) },
  ];
  if (evidence.proof === undefined) return { views, proven: undefined };
  const [a, b] = views;
  const [older, newer] = a.checkpoint.size <= b.checkpoint.size ? [a, b] : [b, a];
  const why = whyForked(older, newer, evidence.proof);
  return { views, proven: { older, newer, why, fork: forkOf(older, newer, evidence.proof) } };
}

/** @throws {@link ProtocolError} `proof_invalid` when it proves nothing. */
function whyForked(older: View, newer: View, proof: readonly Uint8Array[]): string {
  const prefix = verifyFork(older.checkpoint, newer.checkpoint, proof);
  if (proof.length === 0) return 'one log has two roots for the same size';
  const [size1, size2] = [older.checkpoint.size, newer.checkpoint.size];
  return (
    `${proof.length} hashes make the root at ${size2}, and from them the first ${size1} leaves of ` +
    `that tree have the root ${toBase64(prefix)}, not the signed ${toBase64(older.checkpoint.root)}`
  );
}

function forkOf(older: View, newer: View, proof: readonly Uint8Array[]): LogEvidence {
  return { kind: 'forked', seen: older.note, shown: newer.note, proof };
}

const noTree = {
  hashes: (): never => {
    throw new Error('two states of one size need no tiles');
  },
};

/** The first source that decides; the failure of the last one when none does. */
async function firstAnswer<T>(
  sources: readonly LogSource[],
  ask: (source: LogSource) => Promise<T>,
): Promise<T> {
  let failure: unknown = new CliError(
    'only the tiles of the larger log can tell whether it extends the smaller one',
    'name a server, a record or a folder that has them: audit --compare A B SOURCE',
  );
  for (const source of sources) {
    try {
      return await ask(source);
    } catch (error) {
      if (!(error instanceof ProtocolError || error instanceof CliError)) throw error;
      failure = error;
    }
  }
  throw failure;
}
