import type { CampaignState } from '../../../protocol/campaign/campaign.ts';
import type { Directive } from '../../../protocol/campaign/directive.ts';
import type { Action } from '../../../protocol/campaign/transitions.ts';
import { formatInstant } from '../../../protocol/encoding/time.ts';
import type { KeyName } from '../../../protocol/plan/key-name.ts';
import type { Campaign, EventType } from '../campaign/campaign.ts';
import { planOf } from '../campaign/campaign.ts';

const EVENT_OF = {
  commit: 'committed',
  notify: 'notified',
  arm: 'armed',
  reschedule: 'rescheduled',
  supersede: 'superseded',
  withdraw: 'withdrawn',
  abort: 'aborted',
  leaked: 'leaked',
  disclose: 'disclosed',
} as const satisfies Record<Action, EventType>;

/** The events that a completed directive makes. Its reason stays in the directive. */
export function describeMove(
  before: CampaignState,
  { action, sequence, releaseTime }: Directive,
): readonly (readonly [EventType, string])[] {
  const moved = releaseTime === undefined ? '' : `, ${before.releaseTime} to ${releaseTime}`;
  const happened: [EventType, string][] = [[EVENT_OF[action], `directive ${sequence}${moved}`]];
  if (action === 'leaked') happened.push(['disclosed', `directive ${sequence}`]);
  return happened;
}

/** What else changes with the state that a directive leads to. */
export function followUp(
  before: Campaign,
  state: CampaignState,
  action: Action,
  at: number,
): Partial<Campaign> {
  const instant = formatInstant(at);
  const patch = {
    state,
    ...(action === 'arm' && { armedAt: before.armedAt ?? instant }),
    ...(state.status === 'disclosed' && { disclosedAt: before.disclosedAt ?? instant }),
  };
  if (state.plan === before.state.plan) return patch;
  return {
    ...patch,
    ...publishedUnder(before, state.plan),
    ...(action === 'supersede' && { releasedAt: null, supermajorityAt: null }),
  };
}

/** Shares that another plan commits to as well stay published under it. */
function publishedUnder(
  before: Campaign,
  plan: string,
): Pick<Campaign, 'releaseShares' | 'closingShares' | 'breakGlassShares'> {
  const planned = new Set(before.plans.get(plan)?.plan.shares.map(({ sha256 }) => sha256));
  const keep = (key: KeyName, officers: readonly string[]): string[] =>
    officers.filter((officer) =>
      planOf(before).shares.some(
        (share) => share.key === key && share.officer === officer && planned.has(share.sha256),
      ),
    );
  return {
    releaseShares: keep('release', before.releaseShares),
    closingShares: keep('closing', before.closingShares),
    breakGlassShares: keep('break-glass', before.breakGlassShares),
  };
}
