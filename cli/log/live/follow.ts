import { toBase64 } from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { refreshCheckpoint } from '../checkpoint.ts';
import { reportQuorum, type Quorum } from '../quorum.ts';
import type { Context } from '../../command.ts';
import { InterruptedError, ProblemError, TemporaryError } from '../../errors.ts';
import { exitCodeOf, EXIT } from '../../exit-code.ts';
import { countWitnesses } from '../signed-state.ts';
import { formatEnds } from '../tree/accounts.ts';
import { auditLog, type AuditedLog, type LogAudit } from './audit-log.ts';

export interface LiveAudit extends LogAudit {
  readonly context: Context;
  /** Look again after so many milliseconds, until interrupted; undefined to look once. */
  readonly intervalMs: number | undefined;
}

/**
 * Audit a log on a server, once or again and again.
 *
 * A server that cannot be reached is waited for when following, and what operators contradict is told;
 * a log that broke its word ends it.
 *
 * @throws as `auditLog`; {@link InterruptedError} when a person ends the following.
 */
export async function auditLive(audit: LiveAudit): Promise<void> {
  const { context, intervalMs, keys } = audit;
  let last: WitnessedLog | undefined;
  let full = audit.full ?? false;
  try {
    for (;;) {
      try {
        const audited = await look({ ...audit, full });
        full = false;
        tell(context, audited);
        const { note } = audited.state;
        last = { ...audited, quorum: reportQuorum(context.out, keys.root, note, context.now()) };
      } catch (error) {
        const isTold = isContradicted(error);
        if (intervalMs === undefined || !(isTold || isTemporary(error))) throw error;
        context.out.warn(error instanceof Error ? error.message : 'the server cannot be reached');
        if (isTold) full = false;
      }
      if (intervalMs === undefined) break;
      await context.sleep(intervalMs);
    }
  } catch (error) {
    if (error instanceof InterruptedError && last !== undefined) summarise(context, last);
    throw error;
  }
  if (last !== undefined) summarise(context, last);
}

interface WitnessedLog extends AuditedLog {
  readonly quorum: Quorum;
}

/** Everything this home has seen of the log counts, whichever command saw it. */
async function look(audit: LogAudit): Promise<AuditedLog> {
  const { home, source, keys } = audit;
  if (keys.root !== undefined) await refreshCheckpoint(home, source, keys.root);
  return auditLog(audit);
}

function isTemporary(error: unknown): boolean {
  const isServers = error instanceof TemporaryError || error instanceof ProblemError;
  return isServers && exitCodeOf(error) === EXIT.temporary;
}

/** Told after progress is kept: one operator's word ends nobody's following. */
function isContradicted(error: unknown): boolean {
  return error instanceof ProtocolError && error.code === 'checkpoint_contradicted';
}

function tell({ out }: Context, audited: AuditedLog): void {
  const { state, before, tiles, counts, ends, contradicted } = audited;
  if (contradicted > 0) {
    out.warn(`${contradicted} statements name a checkpoint that this log never had: see evidence/`);
  }
  const { origin, size, root } = state.checkpoint;
  const added = size - (before ?? 0);
  out.event('checkpoint', { ...describe(audited), added, tiles });
  if (before === size && tiles === 0) {
    out.line(`${origin}: still ${size} leaves`);
    return;
  }
  const since =
    before === undefined ? 'audited for the first time' : `${added} since the last time`;
  out.line(`${origin}: ${size} leaves, ${since}; ${tiles} tiles read`);
  out.line(`root ${toBase64(root)}, cosigned by ${countWitnesses(state)} known witnesses`);
  for (const [type, number] of Object.entries(counts)) {
    out.line(`${String(number).padStart(8)} ${type}`);
  }
  if (ends === undefined) return;
  out.line(`sealed before the last disclosure: ${formatEnds(ends)}`);
  if (ends.sealed > 0) {
    out.warn(`${ends.sealed} leaves sealed before the last disclosure are not accounted for yet`);
  }
}

function summarise({ out }: Context, audited: WitnessedLog): void {
  out.summary({ result: 'pass', quorum: audited.quorum, ...describe(audited) });
}

function describe({ state, before, counts, ends, contradicted }: AuditedLog): object {
  const { origin, size, root } = state.checkpoint;
  // Unix seconds: a witness may write a time that no calendar has.
  const cosignatures = state.cosignatures.map(({ witness, time }) => ({
    witness: witness.name,
    time: Number(time),
  }));
  return {
    origin,
    size,
    root: toBase64(root),
    before: before ?? null,
    cosignatures,
    counts,
    contradicted,
    ends: ends === undefined ? null : { ...ends, withheld: Object.fromEntries(ends.withheld) },
  };
}
