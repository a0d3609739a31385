import type { StakeRegion } from '../campaign/campaign-file.ts';
import type { Holidays } from './holidays.ts';

/** What the clock and the calendar on the wall say in a region. */
export interface LocalHour {
  /** `Saturday 2026-11-21 03:00` */
  readonly text: string;
  /** Why people there may be hard to reach: `night`, `weekend`, a holiday by its name. */
  readonly reasons: readonly string[];
}

/** From 23:00 to 06:59 people are asleep. */
const MORNING = 7;
const NIGHT = 23;
/** On the eve of a day off, work ends here. */
const EVENING = 16;
const DAY_MS = 86_400_000;

/**
 * Judge a moment by the time zone, weekend and holidays of a region.
 *
 * @param at - Unix ms.
 */
export function localHour(region: StakeRegion, at: number, holidays: Holidays): LocalHour {
  const { weekday, day, clock } = wallClock(region.zone, at);
  const hour = Number(clock.slice(0, 2));
  const off = dayOff(region, at, holidays);
  const reasons = [...(off === undefined ? [] : [off])];
  if (hour < MORNING || hour >= NIGHT) reasons.push('night');
  else if (off === undefined && hour >= EVENING) {
    const tomorrow = dayOff(region, at + DAY_MS, holidays);
    if (tomorrow !== undefined) reasons.push(`the eve of ${tomorrow}`);
  }
  return { text: `${weekday} ${day} ${clock}`, reasons };
}

/** The holiday or `weekend` that a day is there, if it is one. */
function dayOff(region: StakeRegion, at: number, holidays: Holidays): string | undefined {
  const { weekday, day } = wallClock(region.zone, at);
  if (region.holidays?.includes(day) === true) return 'a day off by campaign.json';
  const { country } = region;
  const holiday = country && holidays.find(country, day);
  if (holiday !== undefined && holiday !== '') return holiday;
  return weekendOf(country).includes(weekday) ? 'weekend' : undefined;
}

const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

/** Saturday and Sunday, unless the country keeps other days. */
function weekendOf(country: string | undefined): readonly string[] {
  if (country === undefined) return ['Saturday', 'Sunday'];
  const { weekend } = new Intl.Locale(`und-${country}`).getWeekInfo();
  return [...weekend].map((day) => WEEKDAYS[day - 1] ?? '');
}

const formats = new Map<string, Intl.DateTimeFormat>();

function wallClock(zone: string, at: number): { weekday: string; day: string; clock: string } {
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      calendar: 'gregory',
      hourCycle: 'h23',
      weekday: 'long',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
    });
  formats.set(zone, format);
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
  return {
    weekday: part('weekday'),
    day: `${part('year')}-${part('month')}-${part('day')}`,
    clock: `${part('hour')}:${part('minute')}`,
  };
}
