import { applyLatestDate, applyRelease } from '../../../protocol/campaign/campaign.ts';
import { formatInstant } from '../../../protocol/encoding/time.ts';
import type { KeyName } from '../../../protocol/plan/key-name.ts';
import { thresholdOf } from '../../../protocol/plan/splits.ts';
import type { Campaign, EventType } from '../campaign/campaign.ts';
import { planOf } from '../campaign/campaign.ts';
import type { Publication } from '../campaign/change.ts';

/** Enough closing shares are out, and the documents have not been opened yet. */
export function isOpenable(campaign: Campaign): boolean {
  return (
    campaign.state.status === 'disclosed' &&
    campaign.openedAt === null &&
    campaign.closingShares.length >= planOf(campaign).shareThreshold
  );
}

/** What a publication does to its campaign: with the t-th share it is released, or disclosed. */
export function consequencesOf(
  kind: Publication['kind'],
  campaign: Campaign,
  officer: string,
  at: number,
): { patch: Partial<Campaign>; happened: (readonly [EventType, string])[] } {
  const { state } = campaign;
  const happened: (readonly [EventType, string])[] = [['share', `${kind} ${officer}`]];
  if (kind === 'release-key') return { patch: {}, happened };
  const instant = formatInstant(at);
  const field = SHARES_OF[kind];
  const shares = [...campaign[field], officer].sort();
  const isEnough = shares.length >= thresholdOf(planOf(campaign), kind);
  if (kind === 'closing') {
    if (!isEnough || state.status === 'disclosed') return { patch: { [field]: shares }, happened };
    happened.push(['disclosed', 'the latest disclosure date has come']);
    const disclosed = applyLatestDate(state, at);
    return { patch: { [field]: shares, disclosedAt: instant, state: disclosed }, happened };
  }
  if (!isEnough || campaign.releasedAt !== null) return { patch: { [field]: shares }, happened };
  const split = kind === 'break-glass' ? 'break-glass shares' : 'shares';
  happened.push(['released', `${shares.length} ${split}`]);
  const released = state.status === 'armed' ? applyRelease(state) : state;
  return { patch: { [field]: shares, releasedAt: instant, state: released }, happened };
}

const SHARES_OF = {
  release: 'releaseShares',
  closing: 'closingShares',
  'break-glass': 'breakGlassShares',
} as const satisfies Record<KeyName, keyof Campaign>;
