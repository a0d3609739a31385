import { uptime } from 'node:os';

/** The clocks of a machine, in milliseconds. */
export interface Clocks {
  /** Unix time, as whoever administers the machine has set it. May jump. */
  wall(): number;
  /** Counts from somewhere, never jumps; may stand still while the machine sleeps. */
  monotonic(): number;
  /** Since the machine was started, its sleep included; may be coarse. */
  sinceBoot(): number;
}

export const machineClocks: Clocks = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  sinceBoot: () => uptime() * 1000,
};

/** Further than this from where it has to be by now, the time of day is not believed. */
const TOLERANCE_MS = 5_000;
/** How fast the time of day may be slewed: twenty times what NTP does. */
const SLEW = 0.01;
/**
 * For so long after all clocks were read the two that are cheap will do: asking for the time since
 * boot opens a file.
 */
const FRESH_MS = 20;

/**
 * Unix time that neither jumps nor goes back nor stands still.
 *
 * As long as the time of day moves as the other clocks do, it is followed. From when it jumps, in
 * whichever direction, time goes on from where it was: a gate must not open, and a log must not go
 * back, because somebody set a clock. Should the jump have been right, a restart takes it over.
 *
 * @param onJump - Told once for every jump, with its length in ms, and with 0 once the time of day
 *   is back where it should be.
 * @returns Unix ms, whole.
 */
export function steadyClock(
  onJump: (byMs: number) => void,
  clocks: Clocks = machineClocks,
): () => number {
  const read = (): { monotonic: number; boot: number; wall: number } => ({
    monotonic: clocks.monotonic(),
    boot: clocks.sinceBoot(),
    wall: clocks.wall(),
  });
  let before = read();
  let time = before.wall;
  let jump = 0;
  let latest = Math.floor(time);

  /** Whoever is told of a jump may ask for the time while it is being told. */
  const give = (unixMs: number): number => (latest = Math.max(latest, Math.floor(unixMs)));

  /** Time that passed since `before`, when it was a moment ago and the two cheap clocks agree. */
  const moment = (): number | undefined => {
    const elapsed = clocks.monotonic() - before.monotonic;
    const agree = Math.abs(clocks.wall() - before.wall - elapsed) < FRESH_MS;
    return elapsed < FRESH_MS && agree ? elapsed : undefined;
  };

  return () => {
    const passed = moment();
    // As slow as it may be slewed, so that what is read next lies after it.
    if (passed !== undefined) return give(time + passed * (1 - SLEW));
    const now = read();
    const monotonic = now.monotonic - before.monotonic;
    const boot = now.boot - before.boot;
    // A machine that has slept is behind by its sleep.
    const elapsed = boot - monotonic > TOLERANCE_MS ? boot : monotonic;
    before = now;
    time += elapsed;
    const off = now.wall - time;
    if (Math.abs(off) <= TOLERANCE_MS) {
      time += Math.max(-elapsed * SLEW, Math.min(off, elapsed * SLEW));
      if (jump !== 0) onJump((jump = 0));
    } else if (Math.abs(off - jump) > TOLERANCE_MS) {
      onJump((jump = off));
    }
    return give(time);
  };
}
