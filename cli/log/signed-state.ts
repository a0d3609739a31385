import { verifyEd25519 } from '../../platform/ed25519.ts';
import { openCheckpoint } from '../../protocol/log/checkpoint.ts';
import { verifyCosignatures, type Cosignature } from '../../protocol/log/cosignature.ts';
import type { LogKeys } from './log-keys.ts';
import type { SignedState } from './succession.ts';

/** A state of a log, and which witnesses had seen it when. */
export interface WitnessedState extends SignedState {
  readonly cosignatures: readonly Cosignature[];
}

/**
 * Check a signed checkpoint, and the lines of the witnesses that are known.
 *
 * @throws {@link ProtocolError} as `openCheckpoint` and `verifyCosignatures`.
 */
export function openState(note: string, { log, witnesses }: LogKeys): WitnessedState {
  const checkpoint = openCheckpoint(note, log.name, [log], verifyEd25519);
  return { checkpoint, note, cosignatures: verifyCosignatures(note, witnesses, verifyEd25519) };
}

/** How many different witnesses have cosigned. */
export function countWitnesses({ cosignatures }: WitnessedState): number {
  return new Set(cosignatures.map(({ witness }) => witness.publicKey)).size;
}
