import { ProtocolError } from '../errors.ts';
import type { VerifyEd25519 } from '../signature/ed25519.ts';
import { verifyCosignatures } from './cosignature.ts';
import { isQuorumMet } from './policy.ts';
import type { Policy, PolicyWitness } from './policy.ts';

/** A cosignature older than this says too little about what the log looks like now. */
export const MAX_COSIGNATURE_AGE_MS = 2 * 3_600_000;
/** How far a witness's clock may be ahead: one from the future would stay fresh for ever. */
export const MAX_COSIGNATURE_LEAD_MS = 10 * 60_000;

/** What one witness of a policy has to say about a checkpoint. */
export interface Attendance {
  readonly witness: PolicyWitness;
  /** `fresh` and `seen` count, the others do not. */
  readonly state: 'fresh' | 'seen' | 'missing' | 'old' | 'ahead';
  /** Unix seconds of its latest cosignature. */
  readonly time?: bigint;
}

/** Whether a checkpoint has the witnesses that a policy asks for. */
export interface Witnessing {
  readonly isMet: boolean;
  /** Every witness of the policy, in its order. */
  readonly attendance: readonly Attendance[];
}

/**
 * Count the fresh cosignatures under a checkpoint.
 *
 * @param note - Signed by the log, as `openCheckpoint` has verified.
 * @param now - Unix ms.
 * @throws {@link ProtocolError} as `verifyCosignatures`: a cosignature that does not verify is a
 *   forgery, not an absence.
 * @see docs/spec/witness.md, "Quorum"
 */
export function countWitnesses(
  policy: Policy,
  note: string,
  now: number,
  verify: VerifyEd25519,
): Witnessing {
  return count(policy, note, verify, (witness, times) => attendanceOf(witness, times, now));
}

/**
 * The same for a checkpoint that somebody kept: what a witness saw once it will have seen for ever,
 * and whatever time it wrote, it will cosign no other root of that size.
 *
 * @throws {@link ProtocolError} as {@link countWitnesses}.
 */
export function countWitnessesOfKept(
  policy: Policy,
  note: string,
  verify: VerifyEd25519,
): Witnessing {
  return count(policy, note, verify, (witness, times) => {
    const time = latestOf(times);
    return time === undefined ? { witness, state: 'missing' } : { witness, state: 'seen', time };
  });
}

/** Those who count. */
export function attending({ attendance }: Witnessing): readonly Attendance[] {
  return attendance.filter(({ state }) => state === 'fresh' || state === 'seen');
}

function count(
  policy: Policy,
  note: string,
  verify: VerifyEd25519,
  judge: (witness: PolicyWitness, times: readonly bigint[]) => Attendance,
): Witnessing {
  const verifiers = policy.witnesses.map(({ verifier }) => verifier);
  const cosignatures = verifyCosignatures(note, verifiers, verify);
  const attendance = policy.witnesses.map((witness): Attendance => {
    const times = cosignatures
      .filter((it) => it.witness.publicKey === witness.verifier.publicKey)
      .map(({ time }) => time);
    return judge(witness, times);
  });
  const present = attending({ isMet: false, attendance });
  const keys = new Set(present.map(({ witness }) => witness.verifier.publicKey));
  return { isMet: isQuorumMet(policy, keys), attendance };
}

/**
 * As {@link countWitnesses}, and refuse a checkpoint below the quorum.
 *
 * @throws {@link ProtocolError} `quorum_unmet`, naming the witnesses that do not count and why.
 */
export function verifyWitnesses(
  policy: Policy,
  note: string,
  now: number,
  verify: VerifyEd25519,
): Witnessing {
  const witnessing = countWitnesses(policy, note, now, verify);
  if (witnessing.isMet) return witnessing;
  throw new ProtocolError('quorum_unmet', describeShortfall(witnessing));
}

/** Who cosigned and who did not, in one line. @param what - What is counted. */
export function describeShortfall(witnessing: Witnessing, what = 'fresh cosignatures'): string {
  const { attendance } = witnessing;
  const others = attendance.flatMap(({ witness, state }) =>
    state === 'fresh' || state === 'seen' ? [] : [`${witness.verifier.name} (${WHY[state]})`],
  );
  const present = attending(witnessing).length;
  return `the log has ${what} of ${present} of ${attendance.length} witnesses; without: ${others.join(', ')}`;
}

const WHY = {
  missing: 'did not cosign',
  old: 'cosigned too long ago',
  ahead: 'cosigned in the future',
} as const satisfies Record<Exclude<Attendance['state'], 'fresh' | 'seen'>, string>;

/** The latest time that is not in the future counts: one odd line must not hide a good one. */
function attendanceOf(witness: PolicyWitness, times: readonly bigint[], now: number): Attendance {
  const latestAllowed = BigInt(Math.floor((now + MAX_COSIGNATURE_LEAD_MS) / 1000));
  const earliestAllowed = BigInt(Math.floor((now - MAX_COSIGNATURE_AGE_MS) / 1000));
  const credible = times.filter((time) => time <= latestAllowed);
  const time = latestOf(credible) ?? latestOf(times);
  if (time === undefined) return { witness, state: 'missing' };
  if (credible.length === 0) return { witness, state: 'ahead', time };
  return { witness, state: time >= earliestAllowed ? 'fresh' : 'old', time };
}

function latestOf(times: readonly bigint[]): bigint | undefined {
  return times.reduce<bigint | undefined>(
    (latest, time) => (latest === undefined || time > latest ? time : latest),
    undefined,
  );
}
