import type { CampaignState } from '../../../protocol/campaign/campaign.ts';
import { parseTime } from '../../../protocol/encoding/time.ts';
import { refreshTargets } from '../../client/targets.ts';
import { RefusedMoveError } from '../../errors.ts';
import { lintLasting } from '../lint/trust.ts';
import type { OfficerSession } from '../session.ts';

/**
 * Require that nothing officers sign with ends while the campaign is under way: what `lint` looked at
 * before sealing, once more before each signature that leads to T0. Also that the server keeps its
 * own metadata fresh, which is all that can be asked of what lives for hours.
 *
 * @throws {@link RefusedMoveError} `trust_invalid`; as `refreshTargets` when the server does not.
 */
export async function requireLastingTrust(
  { client, context, home, trust }: OfficerSession,
  { state }: { readonly state: Pick<CampaignState, 'releaseTime' | 'latestDisclosure'> },
): Promise<void> {
  const findings = await lintLasting(state, trust.root, context.now());
  for (const { severity, message } of findings) {
    if (severity === 'warning') context.out.warn(message);
  }
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) {
    throw new RefusedMoveError(
      'trust_invalid',
      errors.map(({ message }) => message).join('; '),
      'rotate first: sealdrop trust rotate',
    );
  }
  const { expires } = await refreshTargets(home, client, trust, context.now());
  if (parseTime(expires) < parseTime(state.releaseTime)) {
    context.out.warn(`the TUF targets expire on ${expires}, before T0; arming signs new ones`);
  }
}
