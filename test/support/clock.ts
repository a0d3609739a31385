/** A clock that moves only when told to. */
export interface TestClock {
  /** Unix ms. */
  readonly now: () => number;
  advance(ms: number): void;
  /** Also backwards. */
  set(ms: number): void;
}

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** Stands on a whole second, as `startTestServer` asks. */
export function testClock(start = Date.parse('2026-11-20T12:00:00Z')): TestClock {
  let time = start;
  return {
    now: () => time,
    advance(ms) {
      time += ms;
    },
    set(ms) {
      time = ms;
    },
  };
}
