import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { ProtocolError, type ProtocolErrorCode } from '../../../protocol/errors.ts';
import { localRangeChecker } from './local-ranges.ts';
import type { RangeRoots, TileRange, TileRanges } from './tile-range.ts';

/** What became of a range in a thread. */
export type Outcome =
  | { readonly made: RangeRoots }
  | { readonly refused: { readonly code: ProtocolErrorCode; readonly message: string } }
  | { readonly error: unknown };

/**
 * So many ranges a thread may be ahead of the one that is waited for: what bounds the memory. Enough for
 * this one to go on with while another starts, which has its first ranges in hand by then.
 */
const AHEAD = 16;
/**
 * So many ranges a thread has in hand, so that the next one waits for it there: this thread hands out
 * ranges only between two of its own.
 */
const IN_HAND = 3;

/**
 * Check ranges of a log in a folder on all cores, and give the results in order.
 *
 * This thread works like the others, so that one core needs none of them, and two lose no time while
 * the other one starts.
 *
 * @throws as `localRangeChecker`, for the first range that does not hold.
 */
export async function* checkInThreads(
  directory: string,
  ranges: TileRanges,
  threads = availableParallelism(),
): AsyncGenerator<RangeRoots> {
  const check = localRangeChecker(directory);
  const outcomes = new Map<number, Outcome>();
  let next = 0;
  let wanted = 0;
  let wake = Promise.withResolvers<undefined>();
  const settle = (index: number, outcome: Outcome): void => {
    outcomes.set(index, outcome);
    wake.resolve(undefined);
    wake = Promise.withResolvers();
  };

  const take = (): number | undefined =>
    next < ranges.count && next < wanted + AHEAD * threads ? next++ : undefined;
  const others = Array.from({ length: Math.min(threads, ranges.count) - 1 }, () =>
    startThread(directory, settle),
  );
  const feed = (): void => {
    for (const thread of others) {
      while (thread.hasRoom()) {
        const index = take();
        if (index === undefined) return;
        thread.check(index, ranges.get(index));
      }
    }
  };

  try {
    while (wanted < ranges.count) {
      feed();
      const outcome = outcomes.get(wanted);
      if (outcome !== undefined) {
        outcomes.delete(wanted);
        wanted += 1;
        yield madeOf(outcome);
        continue;
      }
      const index = take();
      if (index === undefined) {
        await wake.promise;
      } else {
        settle(index, attempt(check, ranges.get(index)));
        // What other threads have to say is heard only when this one pauses.
        await new Promise(setImmediate);
      }
    }
  } finally {
    await Promise.all(others.map((thread) => thread.end()));
  }
}

interface Thread {
  hasRoom(): boolean;
  check(index: number, range: TileRange): void;
  end(): Promise<unknown>;
}

function startThread(directory: string, settle: (index: number, outcome: Outcome) => void): Thread {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const path = fileURLToPath(new URL(`range-thread.${extension}`, import.meta.url));
  const worker = new Worker(path, { workerData: { directory } });
  /** Ranges that it has, in the order in which it answers. */
  const inHand: number[] = [];
  let hasFailed = false;
  worker.on('message', (outcome: Outcome) => {
    const index = inHand.shift();
    if (index !== undefined) settle(index, outcome);
  });
  worker.on('error', (error) => {
    hasFailed = true;
    for (const index of inHand.splice(0)) settle(index, { error });
  });
  return {
    hasRoom: () => !hasFailed && inHand.length < IN_HAND,
    check(index, range) {
      inHand.push(index);
      worker.postMessage(range);
    },
    end: () => worker.terminate(),
  };
}

function attempt(check: (range: TileRange) => RangeRoots, range: TileRange): Outcome {
  try {
    return { made: check(range) };
  } catch (error) {
    return { error };
  }
}

function madeOf(outcome: Outcome): RangeRoots {
  if ('made' in outcome) return outcome.made;
  if ('error' in outcome) throw outcome.error;
  throw new ProtocolError(outcome.refused.code, outcome.refused.message);
}
