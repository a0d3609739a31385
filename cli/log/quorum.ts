import { verifyEd25519 } from '../../platform/ed25519.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import {
  attending,
  countWitnesses,
  countWitnessesOfKept,
  describeShortfall,
  verifyWitnesses,
} from '../../protocol/log/witness-quorum.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import type { Context } from '../command.ts';
import { VerificationError } from '../errors.ts';
import type { Output } from '../output.ts';

/**
 * Refuse to go on unless enough witnesses have seen this checkpoint lately: without them, others may
 * be shown another log.
 *
 * @param note - Verified by `refreshCheckpoint`.
 * @throws {@link VerificationError} below the quorum that the officers signed.
 */
export function requireQuorum(root: TrustRoot, note: string, now: number): void {
  const shortfall = findShortfall(root, note, now);
  if (shortfall === undefined) return;
  throw new VerificationError(
    shortfall.message,
    'nothing was done: check your clock and repeat the command in a few minutes; if it stays so, tell the officers',
    { cause: shortfall },
  );
}

/** The same where the log is only read: say so, and go on. */
export function warnBelowQuorum(
  context: Pick<Context, 'out' | 'now'>,
  root: TrustRoot,
  note: string,
): void {
  const shortfall = findShortfall(root, note, context.now());
  if (shortfall === undefined) return;
  context.out.warn(`${shortfall.message}; others may be shown another log`);
}

/** `none` when the officers ask for no witnesses, `unknown` when only the log's key is known. */
export type Quorum = 'met' | 'unmet' | 'none' | 'unknown';

/**
 * Tell how a checkpoint stands with its witnesses. Below the quorum it is still what the log signed,
 * so whoever only reads is warned, loudly, and not stopped.
 *
 * @param root - Whose policy counts.
 * @param note - Verified as a checkpoint of that log.
 * @param now - Unix ms; without it the note is one that was kept, and no cosignature is too old.
 * @throws {@link ProtocolError} for a forged cosignature.
 */
export function reportQuorum(
  out: Output,
  root: TrustRoot | undefined,
  note: string,
  now: number | undefined,
): Quorum {
  const policy = root?.witnessPolicy;
  if (policy?.quorum === undefined) {
    const quorum = root === undefined ? 'unknown' : 'none';
    out.event('quorum', { quorum });
    const why = quorum === 'none' ? 'the officers ask for none' : '--key names the log alone';
    out.line(`no witness counts: ${why}; others may be shown another log`);
    return quorum;
  }
  const witnessing =
    now === undefined
      ? countWitnessesOfKept(policy, note, verifyEd25519)
      : countWitnesses(policy, note, now, verifyEd25519);
  const quorum = witnessing.isMet ? 'met' : 'unmet';
  const attendance = witnessing.attendance.map(({ witness, state }) => ({
    witness: witness.verifier.name,
    state,
  }));
  out.event('quorum', { quorum, attendance });
  if (witnessing.isMet) {
    const present = attending(witnessing).length;
    out.line(`the quorum of witnesses is met: ${present} of ${attendance.length} have cosigned`);
  } else {
    const what = now === undefined ? 'cosignatures' : undefined;
    const shortfall = describeShortfall(witnessing, what);
    out.warn(`BELOW THE QUORUM: ${shortfall}; others may be shown another log`);
  }
  return quorum;
}

/** What is missing; nothing when the officers asked for no witnesses. A forged cosignature throws. */
function findShortfall(root: TrustRoot, note: string, now: number): ProtocolError | undefined {
  if (root.witnessPolicy === undefined) return undefined;
  try {
    verifyWitnesses(root.witnessPolicy, note, now, verifyEd25519);
    return undefined;
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'quorum_unmet') return error;
    throw error;
  }
}
