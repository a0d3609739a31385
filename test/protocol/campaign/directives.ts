import type { CampaignState } from '../../../protocol/campaign/campaign.ts';
import { encodeDirective } from '../../../protocol/campaign/directive.ts';
import type { Directive } from '../../../protocol/campaign/directive.ts';
import { getMove, nextStatus } from '../../../protocol/campaign/transitions.ts';
import type { Action } from '../../../protocol/campaign/transitions.ts';
import { formatTime, parseTime } from '../../../protocol/encoding/time.ts';
import { signEnvelope } from '../../../protocol/signature/dsse.ts';
import type { Envelope } from '../../../protocol/signature/dsse.ts';
import { signingSigners } from '../trust/network.ts';

const DAY_MS = 86_400_000;

/** When directives are issued: a week before T0 of the example plan. */
export const ISSUED = parseTime('2026-11-13T14:00:00Z');

/** The directive that comes next in `state`, right in everything but `changes`. */
export function directiveOf(
  state: CampaignState,
  action: Action,
  changes: Partial<Directive> = {},
  issued = ISSUED,
): Directive {
  const move = getMove(state.status, action);
  return {
    plan: state.plan,
    campaign: state.campaign,
    network: state.network,
    rootVersion: 1,
    exercise: state.exercise,
    action,
    from: state.status,
    to: nextStatus(state.status, action),
    sequence: state.sequence + 1,
    previous: state.previous,
    revision: state.revision,
    reason: move.reason ? 'because' : '',
    issuedAt: formatTime(issued),
    expiresAt: formatTime(issued + DAY_MS),
    ...(action === 'reschedule' && { releaseTime: '2026-11-21T14:00:00Z' }),
    ...(move.override && { override: true }),
    ...changes,
  };
}

/** Sign with the signing keys of these people. */
export function signedBy(ids: readonly string[], directive: Directive): Envelope {
  return signEnvelope(encodeDirective(directive), ...signingSigners(ids));
}
