import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { sturdyFetch } from './client/fetch.ts';
import type { Context } from './command.ts';
import { InterruptedError } from './errors.ts';

/** The part of a command's context that is the same wherever it runs. */
export function machineContext(
  env: Context['env'],
  signal: AbortSignal,
): Omit<Context, 'home' | 'out' | 'ask'> {
  return {
    fetch: sturdyFetch,
    now: () => Date.now(),
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    async sleep(ms) {
      try {
        await wait(ms, undefined, { signal });
      } catch {
        throw new InterruptedError();
      }
    },
    signal,
    env,
  };
}
