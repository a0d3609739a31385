import { ProtocolError } from '../errors.ts';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/**
 * Parse a time as it appears in signed data: `2026-11-20T14:00:00Z`.
 *
 * RFC 3339 in UTC, to the second, year 0000 to 9999, on a day that exists. No leap second, no
 * `24:00:00`, no offset, no lower-case letters.
 *
 * @returns Unix time in milliseconds.
 * @throws {@link ProtocolError} `encoding_invalid`
 */
export function parseTime(text: string): number {
  const time = TIME.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(time) || formatTime(time) !== text) {
    throw new ProtocolError('encoding_invalid', 'not a time such as 2026-11-20T14:00:00Z');
  }
  return time;
}

/**
 * Write the second that `time` lies in; a fraction of a second is cut off.
 *
 * @param time - Unix time in milliseconds.
 * @throws {@link RangeError} for a time outside the years 0000 to 9999.
 */
export function formatTime(time: number): string {
  return `${formatInstant(time).slice(0, -'.000Z'.length)}Z`;
}

/**
 * Parse an instant as a server observed it: `2026-11-20T14:00:00.123Z`, always three decimals.
 *
 * @returns Unix time in milliseconds.
 * @throws {@link ProtocolError} `encoding_invalid`
 */
export function parseInstant(text: string): number {
  const time = INSTANT.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(time) || formatInstant(time) !== text) {
    throw new ProtocolError('encoding_invalid', 'not an instant such as 2026-11-20T14:00:00.123Z');
  }
  return time;
}

/**
 * Write an instant to the millisecond.
 *
 * @param time - Unix time in milliseconds.
 * @throws {@link RangeError} for a time outside the years 0000 to 9999.
 */
export function formatInstant(time: number): string {
  const text = new Date(Math.floor(time)).toISOString();
  if (!INSTANT.test(text)) throw new RangeError('time outside the years 0000 to 9999');
  return text;
}
