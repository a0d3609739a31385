import { parseTime } from '../../../protocol/encoding/time.ts';
import type { CampaignState } from '../../../protocol/campaign/campaign.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Without a release at hand: long enough for clocks that are wrong and a night's outage. */
const CALM_MS = 6 * HOUR_MS;
/** Around T0, and never longer than this beyond it. */
const TENSE_MS = 10 * MINUTE_MS;
/** How long after T0 the hour is still tense: by then agents have spoken, or people have. */
const AFTERMATH_MS = DAY_MS;

/** When a campaign is released, and whether it still is to be. */
export type Release = Pick<CampaignState, 'status' | 'releaseTime'>;

/**
 * How long a timestamp signed now may live, in ms.
 *
 * It never outlives a T0 that is ahead by more than ten minutes. So ten minutes after T0 nothing that
 * was signed before can still pass as fresh, and what is replayed then shows as what it is.
 *
 * @see docs/spec/trust.md, "Freshness"
 */
export function timestampLifetimeMs(campaigns: Iterable<Release>, now: number): number {
  let lifetime = CALM_MS;
  for (const { status, releaseTime } of campaigns) {
    if (status !== 'armed' && status !== 'released') continue;
    const left = parseTime(releaseTime) - now;
    if (left > -AFTERMATH_MS) lifetime = Math.min(lifetime, Math.max(left, TENSE_MS));
  }
  return lifetime;
}
