import { parseTime } from '../../protocol/encoding/time.ts';
import type { CampaignFile } from './campaign-file.ts';
import { error, warning, type Finding } from './finding.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** What is wrong, or unwise, about when a campaign is to happen. `now` is Unix ms. */
export function lintTimes(campaign: CampaignFile, now: number): readonly Finding[] {
  const findings: Finding[] = [];
  const release = parseTime(campaign.releaseTime);
  const latest = parseTime(campaign.latestDisclosure);
  if (release <= now) {
    findings.push(error('campaign.json.releaseTime', 'is not in the future'));
  } else if (release < now + HOUR_MS) {
    findings.push(warning('campaign.json.releaseTime', 'is less than an hour away'));
  }
  if (latest <= release) {
    findings.push(error('campaign.json.latestDisclosure', 'is not after releaseTime'));
  } else if (latest > release + 90 * DAY_MS) {
    findings.push(
      warning('campaign.json.latestDisclosure', 'is more than 90 days after releaseTime'),
    );
  }
  for (const field of ['releaseTime', 'latestDisclosure'] as const) {
    const day = new Date(parseTime(campaign[field])).getUTCDay();
    if ([0, 5, 6].includes(day)) {
      findings.push(
        warning(
          `campaign.json.${field}`,
          `is a ${WEEKDAYS[day] ?? ''}: people are hard to reach from Friday to Sunday`,
        ),
      );
    }
  }
  return findings;
}
