import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { releaseDigest } from '../../../protocol/embargo/approval.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import {
  parseSnapshot,
  snapshotDigest,
  type StakeSnapshot,
} from '../../../protocol/stake/snapshot.ts';
import { tally, type AdoptionStatement, type Tally } from '../../../protocol/stake/tally.ts';
import {
  parseOperatorStatement,
  verifyOperatorStatement,
} from '../../../protocol/statement/operator.ts';
import { parseStatement } from '../../../protocol/statement/statement.ts';
import { readEnvelope } from '../../client/envelope.ts';
import { loadRoster, tellRejected } from '../roster.ts';
import type { OfficerSession } from '../session.ts';

/**
 * The stake snapshot that a plan pins.
 *
 * @throws {@link ProtocolError} `commitment_mismatch` when the server gives another one.
 */
export async function loadSnapshot(session: OfficerSession, plan: Plan): Promise<StakeSnapshot> {
  const bytes = await session.client.snapshot(plan.snapshot.sha256);
  if (snapshotDigest(bytes) !== plan.snapshot.sha256) {
    throw new ProtocolError('commitment_mismatch', 'the snapshot is not the one in the plan');
  }
  const snapshot = parseSnapshot(bytes);
  if (snapshot.network !== plan.network || snapshot.point !== plan.snapshot.point) {
    throw new ProtocolError('plan_invalid', 'the snapshot is of another network or point');
  }
  if (snapshot.total === 0n) throw new ProtocolError('plan_invalid', 'the snapshot has no stake');
  return snapshot;
}

/** What this machine counted, and what it refused to count. */
export interface LocalTally extends Tally {
  readonly rejected: number;
}

/**
 * Count adoption from signed statements, verified enrolments and the pinned snapshot alone. Nothing
 * in it is the server's word; statements it hides can only make the count smaller.
 */
export async function countAdoption(session: OfficerSession, plan: Plan): Promise<LocalTally> {
  const snapshot = await loadSnapshot(session, plan);
  const roster = await loadRoster(session);
  tellRejected(session, roster);
  const known = new Set(roster.operators.map(({ operator }) => operator));
  const statements: AdoptionStatement[] = [];
  let rejected = 0;
  for (const { envelope: json } of await session.client.statements(plan.campaign)) {
    const envelope = readEnvelope(json);
    const { kind } = parseStatement(envelope.payload);
    if (kind !== 'attest' && kind !== 'revert') continue;
    // What runs an earlier patch is no adoption of this one, and no fault either.
    const { revision, subject } = parseOperatorStatement(envelope.payload);
    if (revision < plan.revision && subject.sha256 !== releaseDigest(plan)) continue;
    const [signature] = envelope.signatures;
    try {
      if (signature === undefined || !known.has(signature.keyid)) {
        throw new ProtocolError('signature_invalid', 'a statement by nobody who is enrolled');
      }
      statements.push(verifyOperatorStatement(envelope, verifyEd25519, signature.keyid, plan));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      rejected += 1;
    }
  }
  if (rejected > 0)
    session.context.out.warn(`${rejected} statements do not verify and do not count`);
  return { ...tally(snapshot, roster.bindings, statements, plan.milestones), rejected };
}
