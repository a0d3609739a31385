import type { NetworkContext } from '../../client/http.ts';
import { CliError } from '../../errors.ts';
import type { OfficerSession } from '../session.ts';
import { CLOCK, tellTrouble, type AgentMemory } from './memory.ts';

/** How this machine's clock compares with somebody else's. */
export interface ClockReading {
  readonly source: string;
  /** Ours minus theirs, ms; positive when ours is ahead. */
  readonly aheadMs: number;
  /** By how much that may be wrong either way, ms. */
  readonly uncertaintyMs: number;
}

/** A `Date` header names whole seconds. */
const RESOLUTION_MS = 1000;
const TIMEOUT_MS = 5_000;
/** Further off than this, after what may be wrong in the reading, is told as a trouble. */
const TOLERANCE_MS = 2_000;

/**
 * Ask several HTTP servers for the time, by the `Date` header of any answer. Those that do not
 * answer are left out: a clock is not worth waiting for.
 *
 * @param sources - URLs.
 */
export async function readClocks(
  context: NetworkContext,
  sources: readonly string[],
): Promise<readonly ClockReading[]> {
  const readings = await Promise.all(sources.map((source) => readClock(context, source)));
  return readings.filter((reading) => reading !== undefined);
}

async function readClock(
  { fetch, now, signal }: NetworkContext,
  source: string,
): Promise<ClockReading | undefined> {
  const asked = now();
  try {
    const response = await fetch(source, {
      method: 'HEAD',
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const roundTrip = now() - asked;
    const date = Date.parse(response.headers.get('date') ?? '');
    if (Number.isNaN(date)) return undefined;
    return {
      source,
      // The header is cut off to the second below, so on average half a second is missing.
      aheadMs: asked + roundTrip / 2 - (date + RESOLUTION_MS / 2),
      uncertaintyMs: (roundTrip + RESOLUTION_MS) / 2,
    };
  } catch {
    return undefined;
  }
}

/** The reading in the middle; one source that is wrong moves it by one place and no further. */
export function medianReading(readings: readonly ClockReading[]): ClockReading | undefined {
  const sorted = readings.toSorted((a, b) => a.aheadMs - b.aheadMs);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}

/** What to tell of a reading, and whether it is a trouble. */
export function describeClock(
  { aheadMs, uncertaintyMs }: ClockReading,
  count: number,
): { readonly text: string; readonly isOff: boolean } {
  const off = Math.abs(aheadMs);
  const seconds = (ms: number): string => (ms / 1000).toFixed(1);
  const where = aheadMs >= 0 ? 'ahead of' : 'behind';
  return {
    text:
      `this clock is ${seconds(off)} s ${where} the middle one of ${count} ` +
      `${count === 1 ? 'source' : 'sources'} (± ${seconds(uncertaintyMs)} s)`,
    isOff: off - uncertaintyMs > TOLERANCE_MS,
  };
}

/**
 * Say how far our clock is from others', which it alone goes by: a share goes out neither early nor
 * late of what this machine takes for T0.
 *
 * @param sources - URLs.
 */
export async function tellClock(
  session: OfficerSession,
  memory: AgentMemory,
  sources: readonly string[],
): Promise<void> {
  const { context } = session;
  const readings = await readClocks(context, sources);
  const middle = medianReading(readings);
  if (middle === undefined) {
    const why = 'no server tells the time: nobody vouches for this clock';
    tellTrouble(session, memory, CLOCK, new CliError(why, 'check it by hand'));
    return;
  }
  const { text, isOff } = describeClock(middle, readings.length);
  context.out.event('clock', { aheadMs: middle.aheadMs, sources: readings.length });
  if (isOff) {
    tellTrouble(session, memory, CLOCK, new CliError(text, 'set it right before T0'));
  } else {
    memory.troubles.delete(CLOCK);
    context.out.note(text);
  }
}
