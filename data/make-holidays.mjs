// Writes data/holidays.json: the public holidays of whole countries, ten years of them.
//
//   npm install --prefix SCRATCH date-holidays@3.37.0
//   node data/make-holidays.mjs SCRATCH/node_modules/date-holidays 2026 > data/holidays.json
//
// The package is no dependency of ours (docs/adr/0014-a-table-of-holidays.md): it is only run here, by whoever renews the table.
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const [path, firstYear] = process.argv.slice(2);
const require = createRequire(join(resolve(path), 'package.json'));
const Holidays = require(resolve(path));
const { version } = require(join(resolve(path), 'package.json'));

const HOUR_MS = 3_600_000;
const first = Number(firstYear);
const years = Array.from({ length: 10 }, (_, i) => first + i);

/** Local days of which a holiday covers at least half: some begin at sunset the day before. */
function daysOf({ date, start, end }) {
  const hour = Number(date.slice(11, 13));
  const hours = (end.getTime() - start.getTime()) / HOUR_MS;
  const days = [];
  for (let day = 0; day * 24 < hour + hours; day += 1) {
    const covered = Math.min(hour + hours, (day + 1) * 24) - Math.max(hour, day * 24);
    const at = new Date(`${date.slice(0, 10)}T00:00:00Z`).getTime() + day * 24 * HOUR_MS;
    if (covered >= 12) days.push(new Date(at).toISOString().slice(0, 10));
  }
  return days;
}

/** Name of a holiday → its dates: `MM-DD` for one of every year, else each with its year. */
function holidaysOf(country) {
  const calendar = new Holidays(country, { languages: ['en'], types: ['public'] });
  const byName = new Map();
  for (const year of [first - 1, ...years]) {
    for (const holiday of calendar.getHolidays(year) ?? []) {
      for (const day of daysOf(holiday)) {
        if (!years.includes(Number(day.slice(0, 4)))) continue;
        byName.set(holiday.name, (byName.get(holiday.name) ?? new Set()).add(day));
      }
    }
  }
  const compact = (days) => {
    const list = [...days].sort();
    const yearly = new Set(list.map((day) => day.slice(5)));
    return [...yearly]
      .flatMap((day) => {
        const dates = list.filter((it) => it.endsWith(day));
        return dates.length === years.length ? [day] : dates;
      })
      .sort();
  };
  return Object.fromEntries([...byName].sort().map(([name, days]) => [name, compact(days)]));
}

const countries = Object.keys(new Holidays().getCountries()).sort();
const lines = countries
  .map((country) => [country, holidaysOf(country)])
  .filter(([, holidays]) => Object.keys(holidays).length > 0)
  .map(([country, holidays]) => `  ${JSON.stringify(country)}: ${JSON.stringify(holidays)}`);
process.stdout.write(
  [
    '{',
    `"source": "date-holidays ${version}, https://github.com/commenthol/date-holidays, CC BY 3.0",`,
    `"years": ${JSON.stringify([first, first + years.length - 1])},`,
    '"countries": {',
    lines.join(',\n'),
    '}}',
    '',
  ].join('\n'),
);
