import { mock } from 'node:test';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';

/** Timers that are set for longer wait for the clock below; others are none of our business. */
const LONG_MS = 5000;
/** For what is on the wire to arrive, before the clock moves on. */
const SETTLE_MS = 4;
/** The same where other requests are under way, whose limits must not be met meanwhile. */
const PATIENT_MS = 60;

interface Timer {
  readonly due: number;
  readonly run: () => void;
  unref(): Timer;
}

/** A clock for long timers, which stands until it is told to run. */
interface LongClock {
  /** Fire what is set, the earliest first, as long as `isOpen`. */
  run(isOpen: () => boolean, waiting?: () => boolean): Promise<void>;
}

let current: LongClock | undefined;

/**
 * Run something while no long timer fires by itself, so that limits of half a minute are met in a
 * blink, and at a known moment: see {@link letTimePass}. The requests stay real.
 */
export async function withLongClock<T>(action: () => Promise<T>): Promise<T> {
  const { setTimeout: realSet, clearTimeout: realClear } = globalThis;
  const timers = new Set<Timer>();
  let now = 0;
  const set = (run: () => void, ms = 0): unknown => {
    if (ms < LONG_MS) return realSet(run, ms);
    const timer: Timer = { due: now + ms, run, unref: () => timer };
    timers.add(timer);
    return timer;
  };
  const clear = (timer: Timer & NodeJS.Timeout): void => {
    if (!timers.delete(timer)) realClear(timer);
  };
  current = {
    async run(isOpen, waiting) {
      while (isOpen() && waiting?.() === true) await wait(SETTLE_MS);
      for (;;) {
        await wait(waiting === undefined ? SETTLE_MS : PATIENT_MS);
        await turn();
        const [next] = [...timers].sort((a, b) => a.due - b.due);
        if (!isOpen() || next === undefined) return;
        timers.delete(next);
        now = next.due;
        next.run();
      }
    },
  };
  globalThis.setTimeout = Object.assign(set, realSet) as typeof setTimeout;
  globalThis.clearTimeout = clear as typeof clearTimeout;
  try {
    return await action();
  } finally {
    current = undefined;
    globalThis.setTimeout = realSet;
    globalThis.clearTimeout = realClear;
  }
}

/**
 * Let half a minute after half a minute pass as long as an answer is not over.
 *
 * @param waiting - Whether other answers, which have their own limits, are still to come.
 */
export function letTimePass(isOpen: () => boolean, waiting?: () => boolean): void {
  void current?.run(isOpen, waiting);
}

/** Run something while the machine's clock stands at this moment, for whoever reads it. */
export async function atTime<T>(now: number, action: () => Promise<T>): Promise<T> {
  mock.timers.enable({ apis: ['Date'], now });
  try {
    return await action();
  } finally {
    mock.timers.reset();
  }
}
