import { parseTime } from '../../../protocol/encoding/time.ts';
import type { CampaignFile } from '../campaign/campaign-file.ts';
import { error, warning, type Finding } from '../campaign/finding.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/**
 * What is wrong, or unwise, about when a campaign is to happen, by UTC alone. What the clocks say
 * where the stake lives is for `lint-regions.ts`.
 *
 * @param now - Unix ms.
 */
export function lintTimes(campaign: CampaignFile, now: number): readonly Finding[] {
  const findings: Finding[] = [];
  const release = parseTime(campaign.releaseTime);
  const latest = parseTime(campaign.latestDisclosure);
  const where = 'campaign.json.releaseTime';
  const later = 'choose a later time, here and in notice.md';
  if (release <= now) findings.push(error(where, 'is not in the future', later));
  else if (release < now + HOUR_MS) {
    findings.push(warning(where, 'is less than an hour away', later));
  }
  const last = 'campaign.json.latestDisclosure';
  if (latest <= release) {
    findings.push(error(last, 'is not after releaseTime', 'leave days for adoption in between'));
  } else if (latest > release + 90 * DAY_MS) {
    const advice = 'an earlier date; officers can move it by a directive';
    findings.push(warning(last, 'is more than 90 days after releaseTime', advice));
  }
  const isJudgedLocally = (campaign.regions ?? []).length > 0;
  for (const field of ['releaseTime', 'latestDisclosure'] as const) {
    if (field === 'releaseTime' && isJudgedLocally) continue;
    const day = new Date(parseTime(campaign[field])).getUTCDay();
    if ([0, 5, 6].includes(day)) {
      findings.push(
        warning(
          `campaign.json.${field}`,
          `is a ${WEEKDAYS[day] ?? ''}: people are hard to reach from Friday to Sunday`,
          'choose a Monday to Thursday',
        ),
      );
    }
  }
  return findings;
}
