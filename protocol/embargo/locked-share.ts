import { sha256Hex } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import type { Beacon } from './beacon.ts';
import { readLock, unlock } from './lock.ts';
import { verifyPlannedShare } from './planned-shares.ts';

/**
 * Check, before the round, that a file is the one in which the plan has this officer's release share
 * locked, and that it names the round of the plan and nobody else.
 *
 * That the share is inside, and locked to that round in truth, nobody can tell before it: the sealer
 * answers for it, and the break-glass split is there in case.
 *
 * @throws {@link ProtocolError} `commitment_mismatch` for other bytes; `timelock_invalid` for another
 *   lock than the plan's; `share_invalid` when none is planned.
 */
export async function verifyLockedShare(
  file: Uint8Array,
  plan: Plan,
  officer: string,
): Promise<void> {
  const planned = plan.shares.find((it) => it.key === 'release' && it.officer === officer);
  if (planned?.locked === undefined || plan.timelock === undefined) {
    throw new ProtocolError('share_invalid', 'no locked share is planned for this officer');
  }
  if (sha256Hex(file) !== planned.locked) {
    throw new ProtocolError('commitment_mismatch', 'locked share is not the one committed to');
  }
  const { chain, round } = await readLock(file);
  if (chain !== plan.timelock.chain || round !== plan.timelock.round) {
    throw new ProtocolError('timelock_invalid', `the share is locked to round ${round}`);
  }
}

/**
 * Open an officer's locked release share, once its round is signed.
 *
 * @returns The share document, which is the one that the plan commits to.
 * @throws {@link ProtocolError} as {@link verifyLockedShare} and `verifyPlannedShare`;
 *   `timelock_invalid` when the beacon is of another round or the sealer locked something else.
 */
export async function openLockedShare(
  file: Uint8Array,
  plan: Plan,
  officer: string,
  beacon: Beacon,
): Promise<Uint8Array> {
  await verifyLockedShare(file, plan, officer);
  const document = await unlock(file, beacon);
  verifyPlannedShare(document, plan, 'release', officer);
  return document;
}
