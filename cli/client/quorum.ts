import { verifyEd25519 } from '../../platform/ed25519.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { verifyWitnesses } from '../../protocol/log/witness-quorum.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import type { Context } from '../command.ts';
import { VerificationError } from '../errors.ts';

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
