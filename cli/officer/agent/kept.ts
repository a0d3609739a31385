import type { CampaignState } from '../../../protocol/campaign/campaign.ts';
import type { VerifiedDirective } from '../../../protocol/campaign/directive.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { loadChain } from '../../client/chain.ts';
import { CliError } from '../../errors.ts';
import { findKeptShares, type OwnShares } from '../custody.ts';
import type { OfficerSession } from '../session.ts';

/** What an agent needs of a campaign to publish its shares, whether or not there is a server. */
export interface Holding {
  readonly plan: Plan;
  readonly planBytes: Uint8Array;
  readonly state: CampaignState;
  /** Completed ones, by number. */
  readonly directives: readonly VerifiedDirective[];
  readonly shares: OwnShares;
}

/**
 * A campaign as this home last saw it, everything verified again.
 *
 * What officers have decided since cannot be known; a share that is due goes out, as it does when
 * the server is seized right before T0.
 *
 * @returns `undefined` when this home holds no plan, directives or shares of it.
 */
export async function loadHolding(
  session: OfficerSession,
  id: string,
): Promise<Holding | undefined> {
  const { home, trust } = session;
  try {
    const chain = await loadChain(home, trust, home.campaign(id));
    const { plan, planBytes, state, directives } = chain;
    const shares = await findKeptShares(session, plan);
    return shares && { plan, planBytes, state, directives, shares };
  } catch (error) {
    if (error instanceof CliError) return undefined;
    throw error;
  }
}
