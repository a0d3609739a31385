import { equalBytes } from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { TILE_WIDTH } from '../../../protocol/log/tile-path.ts';
import type { Context } from '../../command.ts';
import type { Home } from '../../home/home.ts';
import { keepEvidence } from '../evidence.ts';
import type { LogKeys } from '../log-keys.ts';
import { openState, type WitnessedState } from '../signed-state.ts';
import { isSameState, requireSuccession } from '../succession.ts';
import { contradictionError, type Contradicted, type KeepEvidence } from '../testimony.ts';
import { openAccounts, type EndCounts } from '../tree/accounts.ts';
import { addCounts, checkTree, type LeafCounts } from '../tree/check-tree.ts';
import type { LogSource } from '../source.ts';
import { endsOf, verifyEnds } from './ends.ts';
import { hearOperators } from './heard.ts';
import { openProgress, type Progress, type ProgressFile } from './progress.ts';

export interface LogAudit {
  readonly context: Pick<Context, 'sleep' | 'now'>;
  readonly home: Home;
  readonly source: LogSource;
  readonly keys: LogKeys;
  /** Read everything again, also what was audited before. */
  readonly full?: boolean;
}

/** What one look at a log has found. */
export interface AuditedLog {
  readonly state: WitnessedState;
  /** Leaves up to which it had been audited before; undefined the first time. */
  readonly before: number | undefined;
  /** Tiles and bundles that were read. */
  readonly tiles: number;
  /** All leaves that were ever audited, by type. */
  readonly counts: LeafCounts;
  /** What became of everything sealed before the last disclosure; undefined as long as there is none. */
  readonly ends: EndCounts | undefined;
  /** Statements ever heard in it that name a checkpoint which it never had. */
  readonly contradicted: number;
}

/**
 * Audit what is new in a log since this home looked last.
 *
 * Every new leaf and every tile that changed is read; with what was known to be on the left they
 * have to make the root that is signed now, and up to the old size the root that was signed then.
 * What it calls opened or a dummy since has to be what the server opens. Progress is kept only after
 * all of it holds.
 *
 * What operators say in it to have seen is held against it as soon as it is opened.
 *
 * @throws {@link ProtocolError} `checkpoint_contradicted` once for each statement that names a
 *   checkpoint which the log never had, after progress is kept; `checkpoint_invalid` when the log shrank or forked, both signed notes
 *   being in `evidence/`; `leaf_invalid` also as `verifyEnds` and `endsOf`; `proof_invalid` or `encoding_invalid` when what it serves is
 *   not what it signed; as `openCheckpoint`.
 */
export async function auditLog(audit: LogAudit): Promise<AuditedLog> {
  const { context, home, source, keys, full = false } = audit;
  const file = openProgress(home, keys.log, (ms) => context.sleep(ms));
  const before = await file.read();
  const state = openState(await source.checkpoint(), keys);
  if (before !== undefined) {
    if (isSameState(before.checkpoint, state.checkpoint) && !full) {
      return unchanged(audit, file, before, state);
    }
    // Small, and decides alone when the log shrank or has two roots for one size.
    await requireSuccession(home, (path) => source.tile(path), before, state);
  }

  const size = before?.checkpoint.size ?? 0;
  const start = full ? 0 : Math.floor(size / TILE_WIDTH) * TILE_WIDTH;
  const accounts = full || before === undefined ? openAccounts() : before.accounts;
  const disclosures = before === undefined || full ? [] : [...before.disclosures];
  const seenAt = new Map(before?.disclosures.map((it) => [it.index, it.seenAt]));
  let firstEnded = Infinity;
  const opened: number[] = [];
  const tree = await checkTree(source, state.checkpoint, {
    start,
    ...(size > 0 && { older: size }),
    ...(!full && { counted: size }),
    onOther({ index, leaf }) {
      accounts.add({ index, leaf });
      if (leaf.type === 'disclosure') {
        const { campaign } = leaf;
        disclosures.push({ campaign, index, seenAt: seenAt.get(index) ?? context.now() });
      }
      if (leaf.type === 'opened') {
        firstEnded = Math.min(firstEnded, leaf.index);
        opened.push(leaf.index);
      }
      if (leaf.type === 'dummy') firstEnded = Math.min(firstEnded, leaf.first);
    },
  });
  // What was just proven with a few hashes, once more with every leaf: two answers of a server may differ.
  if (before !== undefined && size > 0 && !isRoot(tree.olderRoot, before)) {
    throw new ProtocolError(
      'proof_invalid',
      'the leaves make another root for the size seen before',
    );
  }
  let heard: readonly Contradicted[] = [];
  if (firstEnded < Infinity) {
    const ended = { accounts, disclosures };
    const openings = await verifyEnds(source, state.checkpoint, ended, firstEnded);
    heard = await hearOperators(opened, openings, state, source);
  }
  const ends = endsOf({ accounts, disclosures }, context.now());
  const counts: LeafCounts = full ? {} : { ...before?.counts };
  addCounts(counts, tree.counts);
  const { checkpoint, note } = state;
  const contradicted = (full ? 0 : (before?.contradicted ?? 0)) + heard.length;
  const keep: KeepEvidence = (evidence) => keepEvidence(home, evidence);
  // One operator's word must not keep anybody from auditing what comes: it is told once, then counted.
  const alarm = heard.length > 0 ? await contradictionError(heard, keep) : undefined;
  await file.write({ checkpoint, note, counts, accounts, disclosures, contradicted });
  if (alarm !== undefined) throw alarm;
  return { state, before: before?.checkpoint.size, tiles: tree.tiles, counts, ends, contradicted };
}

/** The note may have more cosignatures than before. */
async function unchanged(
  { context }: LogAudit,
  file: ProgressFile,
  before: Progress,
  state: WitnessedState,
): Promise<AuditedLog> {
  const { counts, contradicted } = before;
  const ends = endsOf(before, context.now());
  if (before.note !== state.note) await file.write({ ...before, ...state });
  return { state, before: before.checkpoint.size, tiles: 0, counts, ends, contradicted };
}

function isRoot(root: Uint8Array | undefined, { checkpoint }: Progress): boolean {
  return root !== undefined && equalBytes(root, checkpoint.root);
}
