import { ProtocolError } from '../../../protocol/errors.ts';
import { RefusedMoveError, TemporaryError } from '../../errors.ts';
import { percent } from '../amounts.ts';
import type { OfficerSession } from '../session.ts';
import type { Standing } from '../standing.ts';
import { countAdoption } from './local-tally.ts';
import type { Move } from './move.ts';

// A disclosure waits for the gate of adoption, as it is counted on this machine.

/**
 * Refuse to propose a disclosure that the table would want an override for, saying why.
 *
 * @throws {@link RefusedMoveError} from `released` without `override`.
 */
export async function refuseEarlyDisclosure(
  session: OfficerSession,
  { plan, state }: Standing,
  { action, override }: Move,
): Promise<void> {
  if (action !== 'disclose' || state.status !== 'released' || override === true) return;
  const { attested, total, adopted } = await countAdoption(session, plan);
  const detail = `${percent(attested.stake, total.stake)} of stake has attested`;
  if (!adopted) {
    throw new RefusedMoveError(
      'transition_refused',
      `adoption as counted here does not reach the gate: ${detail}`,
      `whom to call: sealdrop chase ${plan.campaign}; to disclose regardless: --override --reason`,
    );
  }
  throw new TemporaryError(
    'the gate is reached as counted here, but the server has not recorded it yet',
  );
}

/** What the count of adoption on this machine says of a disclosure that others are to sign. */
export async function checkDisclosure(
  session: OfficerSession,
  { plan, state }: Standing,
  override: boolean,
): Promise<string> {
  if (state.status === 'aborted' || state.status === 'withdrawn') {
    return `the campaign is ${state.status}, so adoption is not asked for`;
  }
  const { attested, total, adopted } = await countAdoption(session, plan);
  const detail = `${percent(attested.stake, total.stake)} of stake has attested`;
  if (override) return `${detail}, counted here; disclosed regardless, by override`;
  requireGate(adopted, detail);
  return `${detail}, counted here from signed statements: the gate is reached`;
}

/** Refuse to disclose on a tally that this machine does not count out. */
function requireGate(adopted: boolean, detail: string): void {
  if (adopted) return;
  throw new ProtocolError(
    'transition_refused',
    `adoption as counted here does not reach the gate: ${detail}`,
  );
}
