import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { CampaignFile, StakeRegion } from '../../../../cli/officer/campaign/campaign-file.ts';
import type { Finding } from '../../../../cli/officer/campaign/finding.ts';
import { loadHolidays, type Holidays } from '../../../../cli/officer/lint/holidays.ts';
import { localHour } from '../../../../cli/officer/lint/local-hours.ts';
import { lintRegions } from '../../../../cli/officer/lint/regions.ts';

let holidays: Holidays;
before(async () => {
  holidays = await loadHolidays();
});

const reasons = (region: Partial<StakeRegion>, time: string): readonly string[] =>
  localHour({ zone: 'UTC', percent: 100, ...region }, Date.parse(time), holidays).reasons;

function lint(regions: StakeRegion[], releaseTime: string): readonly Finding[] {
  return lintRegions({ regions, releaseTime } as CampaignFile, holidays);
}

describe('the local hour of T0', () => {
  it('is judged by the clocks of the region, summer time included', () => {
    const berlin = { zone: 'Europe/Berlin', country: 'DE' };
    // 07:00 in winter, 08:00 in summer.
    assert.deepEqual(reasons(berlin, '2026-11-18T06:00:00Z'), []);
    assert.deepEqual(reasons(berlin, '2026-11-18T05:59:59Z'), ['night']);
    assert.deepEqual(reasons(berlin, '2026-07-15T05:00:00Z'), []);
    assert.deepEqual(reasons(berlin, '2026-11-18T22:00:00Z'), ['night']);
    assert.deepEqual(reasons(berlin, '2026-11-18T21:59:59Z'), []);
    const kathmandu = { zone: 'Asia/Kathmandu' };
    assert.deepEqual(reasons(kathmandu, '2026-11-18T01:15:00Z'), []);
    assert.deepEqual(reasons(kathmandu, '2026-11-18T01:14:59Z'), ['night']);
  });

  it('is the day of the region, not that of UTC', () => {
    // Saturday 03:00 in Tokyo is Friday in UTC; Sunday 20:00 in New York is Monday in UTC.
    assert.deepEqual(reasons({ zone: 'Asia/Tokyo' }, '2026-11-20T18:00:00Z'), ['weekend', 'night']);
    assert.deepEqual(reasons({ zone: 'America/New_York' }, '2026-11-23T01:00:00Z'), ['weekend']);
    assert.deepEqual(reasons({}, '2026-11-23T01:00:00Z'), ['night']);
    const text = localHour(
      { zone: 'Asia/Tokyo', percent: 41 },
      Date.parse('2026-11-20T18:00:00Z'),
      holidays,
    );
    assert.equal(text.text, 'Saturday 2026-11-21 03:00');
  });

  it('keeps the weekend of the country, and counts the evening before it', () => {
    const israel = { zone: 'Asia/Jerusalem', country: 'IL' };
    assert.deepEqual(reasons(israel, '2026-11-20T10:00:00Z'), ['weekend']);
    assert.deepEqual(reasons(israel, '2026-11-22T10:00:00Z'), []);
    assert.deepEqual(reasons(israel, '2026-11-19T14:00:00Z'), ['the eve of weekend']);
    assert.deepEqual(reasons({}, '2026-11-20T16:00:00Z'), ['the eve of weekend']);
    assert.deepEqual(reasons({}, '2026-11-20T15:59:59Z'), []);
  });

  it('knows holidays with a date of their own every year, and days that only a person knows', () => {
    const america = { zone: 'America/New_York', country: 'US' };
    assert.deepEqual(reasons(america, '2026-11-26T15:00:00Z'), ['Thanksgiving Day']);
    assert.deepEqual(reasons(america, '2027-11-26T15:00:00Z'), []);
    assert.deepEqual(
      reasons({ country: 'SG' }, '2027-02-08T10:00:00Z')[0]?.slice(0, 16),
      'Chinese New Year',
    );
    assert.deepEqual(reasons({ country: 'DE' }, '2028-12-25T10:00:00Z'), ['Christmas Day']);
    assert.deepEqual(reasons({ country: 'DE' }, '2026-11-26T15:00:00Z'), []);
    const own = { holidays: ['2026-11-18'] };
    assert.deepEqual(reasons(own, '2026-11-18T10:00:00Z'), ['a day off by campaign.json']);
    assert.equal(holidays.find('__proto__', '2026-12-25'), undefined);
    assert.equal(holidays.knows('toString'), false);
  });
});

describe('lint of regions', () => {
  const world: StakeRegion[] = [
    { zone: 'Europe/Berlin', percent: 50, country: 'DE' },
    { zone: 'America/New_York', percent: 30, country: 'US' },
    { zone: 'Asia/Tokyo', percent: 20, country: 'JP' },
  ];

  it('names stake, time zone, local hour, reason, and a better hour that is better', () => {
    const findings = lint(world, '2026-11-28T18:00:00Z');
    assert.deepEqual(
      findings.map(({ message }) => message),
      [
        'is Saturday 2026-11-28 19:00 for 50 % of stake (Europe/Berlin): weekend',
        'is Saturday 2026-11-28 13:00 for 30 % of stake (America/New_York): weekend',
        'is Sunday 2026-11-29 03:00 for 20 % of stake (Asia/Tokyo): weekend, night',
      ],
    );
    const [, better = '', off] =
      /^at (\S+) (\d+) % of stake would be off instead of 100 %$/.exec(findings[0]?.advice ?? '') ??
      [];
    const found = lint(world, better);
    const shares = found.map(({ message }) => Number(/for (\d+) %/.exec(message)?.[1]));
    assert.equal(String(shares.reduce((sum, share) => sum + share, 0)), off);
    assert.ok(Number(off) <= 20);
  });

  it('has nothing to say about an hour at which all are at work', () => {
    assert.deepEqual(
      lint(world, '2026-11-17T13:00:00Z').map(({ message }) => message),
      [],
    );
    // Negative control: the same hour on a holiday of one of them.
    const [finding] = lint(world, '2026-11-26T13:00:00Z');
    assert.match(finding?.message ?? '', /30 % .*Thanksgiving/);
  });

  it('says what it did not look at', () => {
    const says = (regions: StakeRegion[], time = '2026-11-17T13:00:00Z'): string =>
      lint(regions, time)
        .map(({ severity, message }) => `${severity} ${message}`)
        .join('\n');
    assert.match(says([]), /by UTC alone/);
    assert.match(says([{ zone: 'UTC', percent: 60, country: 'GB' }]), /where 40 % of stake lives/);
    assert.match(says([{ zone: 'UTC', percent: 100 }]), /no country for UTC/);
    assert.match(says([{ zone: 'UTC', percent: 100, country: 'ZZ' }]), /ZZ, whose holidays/);
    assert.match(says([...world, ...world]), /^error names 200 %/m);
    assert.match(says(world, '2046-11-20T13:00:00Z'), /known from 2026 to 2035 only/);
  });
});
