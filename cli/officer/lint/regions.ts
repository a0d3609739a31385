import { formatTime, parseTime } from '../../../protocol/encoding/time.ts';
import type { CampaignFile, StakeRegion } from '../campaign/campaign-file.ts';
import { error, warning, type Finding } from '../campaign/finding.ts';
import type { Holidays } from './holidays.ts';
import { localHour } from './local-hours.ts';

const HOUR_MS = 3_600_000;
/** How far beyond T0 a better hour is looked for. */
const SEARCH_HOURS = 7 * 24;

const REGIONS = 'campaign.json.regions';
const RELEASE = 'campaign.json.releaseTime';

/** Where T0 falls at night, on a weekend or on a holiday, by the share of stake that lives there. */
export function lintRegions(campaign: CampaignFile, holidays: Holidays): readonly Finding[] {
  const { regions = [], releaseTime } = campaign;
  if (regions.length === 0) {
    return [
      warning(
        REGIONS,
        'says nothing, so T0 was judged by UTC alone, without holidays',
        'name time zone, per cent of stake and country: [{"zone": "Europe/Berlin", "percent": 40, "country": "DE"}, …]',
      ),
    ];
  }
  const findings = lintTable(regions, releaseTime, holidays);
  const at = parseTime(releaseTime);
  const advice = adviceFor(regions, at, holidays);
  for (const region of regions) {
    const { text, reasons } = localHour(region, at, holidays);
    if (reasons.length === 0) continue;
    const where = `${region.percent} % of stake (${region.zone})`;
    findings.push(warning(RELEASE, `is ${text} for ${where}: ${reasons.join(', ')}`, advice));
  }
  return findings;
}

/** What of the table itself leaves stake unlooked at. */
function lintTable(
  regions: readonly StakeRegion[],
  releaseTime: string,
  holidays: Holidays,
): Finding[] {
  const findings: Finding[] = [];
  const [first, last] = holidays.years;
  const total = regions.reduce((sum, { percent }) => sum + percent, 0);
  const sums = 'let the shares of all regions sum to 100';
  if (total > 100) findings.push(error(REGIONS, `names ${total} % of stake`, sums));
  if (total < 100) {
    findings.push(warning(REGIONS, `does not say where ${100 - total} % of stake lives`, sums));
  }
  const nameless = regions.filter(({ country }) => country === undefined).map(({ zone }) => zone);
  if (nameless.length > 0) {
    const message = `names no country for ${nameless.join(', ')}: no holidays were looked at there`;
    findings.push(warning(REGIONS, message, 'add "country", two capitals such as "DE"'));
  }
  const strange = regions.flatMap(({ country }) =>
    country === undefined || holidays.knows(country) ? [] : [country],
  );
  if (strange.length > 0) {
    const message = `names ${strange.join(', ')}, whose holidays are not in the table here`;
    findings.push(warning(REGIONS, message, 'check the code, or give the days as "holidays"'));
  }
  const year = Number(releaseTime.slice(0, 4));
  if (year < first || year > last) {
    const message = `cannot be judged by holidays, which are known from ${first} to ${last} only`;
    findings.push(warning(RELEASE, message, 'give the days as "holidays", or renew the table'));
  }
  return findings;
}

/** Name the hour of the week after T0 at which the least stake is off; the first of several. */
function adviceFor(regions: readonly StakeRegion[], t0: number, holidays: Holidays): string {
  const offAt = (at: number): number =>
    regions
      .filter((region) => localHour(region, at, holidays).reasons.length > 0)
      .reduce((sum, { percent }) => sum + percent, 0);
  const hours = Array.from({ length: SEARCH_HOURS }, (_, i) => t0 + (i + 1) * HOUR_MS);
  const now = offAt(t0);
  const best = hours
    .map((at) => ({ at, off: offAt(at) }))
    .reduce((least, it) => (it.off < least.off ? it : least), { at: t0, off: now });
  if (best.at === t0) return `no hour of the week after is better: ${now} % of stake are off`;
  return `at ${formatTime(best.at)} ${best.off} % of stake would be off instead of ${now} %`;
}
