import { formatInstant } from '../../protocol/encoding/time.ts';
import { verifyEd25519 } from '../../platform/ed25519.ts';
import { parseTlogProof, verifyTlogProof } from '../../protocol/log/tlog-proof.ts';
import { keepEvidence } from '../log/evidence.ts';
import { findLogKeys, type LogKeys } from '../log/log-keys.ts';
import { requireSuccession, type SignedState } from '../log/succession.ts';
import { serverSource } from '../log/source.ts';
import { refreshCheckpoint } from '../log/checkpoint.ts';
import { connect } from '../client/connect.ts';
import { refreshTrust } from '../client/trust.ts';
import type { Command } from '../command.ts';
import { VerificationError } from '../errors.ts';
import { openHome } from '../home/home.ts';
import { collectProofs } from '../receipts/collect.ts';
import { judgeOverdue } from '../receipts/omissions.ts';
import { listStored, type StoredReceipt } from '../receipts/stored.ts';

export const receiptCheckCommand: Command = {
  name: 'receipt check',
  group: 'operator',
  summary: 'Check that the log holds what it promised you, and keep evidence where it does not',
  example: 'sealdrop receipt check',

  async run(_input, context) {
    const { out } = context;
    const home = openHome(context);
    const client = await connect(context, home);
    const { root } = await refreshTrust(home, client);
    const keys = await findLogKeys(home, undefined);
    const stored = await listStored(home, keys);
    const source = serverSource(client);
    const state = await refreshCheckpoint(home, source, root);

    const logged = stored.filter(({ proof }) => proof !== undefined);
    for (const seen of statesOf(logged, keys)) {
      await requireSuccession(home, (path) => source.tile(path), seen, state);
    }
    const waiting = stored.filter(({ proof }) => proof === undefined);
    const collected = await collectProofs(source, state, waiting);
    const paths = new Set(collected.map((it) => it.paths.json));
    const missing = waiting.filter((it) => !paths.has(it.paths.json));
    const overdue = missing.filter(({ due }) => due <= context.now());
    const pending = missing.filter(({ due }) => due > context.now());
    const known = [...logged, ...collected];
    const { proven, omitted } = await judgeOverdue(source, state, overdue, known);

    for (const { paths: at, due } of pending) {
      out.line(`waiting  ${at.json}: due ${formatInstant(due)}`);
    }
    const evidence: string[] = [];
    for (const { receipt, evidence: found } of omitted) {
      const path = await keepEvidence(home, found);
      evidence.push(path);
      out.line(`OMITTED  ${receipt.paths.json}: was due ${formatInstant(receipt.due)}`);
      out.line(`         evidence ${path}`);
    }
    const inLog = known.length + proven.length;
    out.line(`${inLog} of ${stored.length} receipts are for what the log holds`);
    out.summary({
      result: evidence.length === 0 ? 'pass' : 'omitted',
      logged: inLog,
      pending: pending.length,
      omitted: omitted.map(({ receipt }) => receipt.paths.json),
      evidence,
    });
    if (evidence.length === 0) return;
    throw new VerificationError(
      `the log does not hold what it promised: ${evidence.length} of ${stored.length} receipts`,
      `give ${evidence.join(', ')} to the officers and witnesses; it is checked with audit --compare`,
    );
  },
};

/** The states of the log that proofs are under, each once. */
function statesOf(logged: readonly StoredReceipt[], keys: LogKeys): Iterable<SignedState> {
  const states = new Map<string, SignedState>();
  for (const { proof: text = '', promise } of logged) {
    const proof = parseTlogProof(text);
    const { name } = keys.log;
    const checkpoint = verifyTlogProof(proof, promise.leafHash, name, [keys.log], verifyEd25519);
    states.set(proof.checkpoint, { checkpoint, note: proof.checkpoint });
  }
  return states.values();
}
