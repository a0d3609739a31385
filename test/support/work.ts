import type { Profiler } from 'node:inspector';
import { Session } from 'node:inspector/promises';

/** Counts what our own code does. */
export interface WorkCounter {
  /** How often each block of it ran, by place. Whatever else runs meanwhile is counted, too. */
  during(task: () => Promise<unknown>): Promise<ReadonlyMap<string, number>>;
  stop(): Promise<void>;
}

const OURS = /\/(?:server|protocol|platform)\/[^?]*\.ts$/;

/**
 * Count blocks of code by V8's coverage, in place of time: two requests that run the same blocks
 * equally often do the same, whatever the machine is busy with.
 *
 * Start it before the code in question has run: functions that are compiled already count as a whole.
 */
export async function countWork(): Promise<WorkCounter> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const take = async (): Promise<readonly Profiler.ScriptCoverage[]> =>
    (await session.post('Profiler.takePreciseCoverage')).result;
  return {
    async during(task) {
      await take();
      await task();
      const counts = new Map<string, number>();
      for (const { url, functions } of await take()) {
        if (!OURS.test(url) || url.includes('/test/')) continue;
        for (const { startOffset, endOffset, count } of functions.flatMap(({ ranges }) => ranges)) {
          if (count > 0) counts.set(`${url}:${startOffset}-${endOffset}`, count);
        }
      }
      return counts;
    },
    async stop() {
      await session.post('Profiler.disable');
      session.disconnect();
    },
  };
}
