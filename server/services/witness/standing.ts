import { countWitnesses, describeShortfall } from '../../../protocol/log/witness-quorum.ts';
import type { VerifyEd25519 } from '../../../protocol/signature/ed25519.ts';
import type { LogFiles } from '../log/store.ts';
import type { WitnessesInForce } from './in-force.ts';

/**
 * What is missing from the published checkpoint to be witnessed, as any client would judge it now;
 * `undefined` when nothing is, or when no policy asks for anything.
 */
export async function findShortfall(deps: {
  readonly files: Pick<LogFiles, 'readCheckpoint'>;
  readonly inForce: WitnessesInForce;
  readonly verify: VerifyEd25519;
  readonly now: () => number;
}): Promise<string | undefined> {
  const policy = deps.inForce.policy();
  if (policy === undefined) return undefined;
  const note = await deps.files.readCheckpoint();
  if (note === undefined) return 'no checkpoint is published yet';
  const witnessing = countWitnesses(policy, note, deps.now(), deps.verify);
  return witnessing.isMet ? undefined : describeShortfall(witnessing);
}
