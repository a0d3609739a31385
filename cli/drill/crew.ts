import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Context } from '../command.ts';
import { InterruptedError } from '../errors.ts';
import { CommandFailed, type Actor, type Options, type Summary } from './actor.ts';

/** A command for a thread to run. */
export interface Order {
  readonly id: number;
  readonly name: string;
  readonly home: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly options: Options;
}

/** How it went; a failure's code is the exit code of the command. */
export type Report =
  | { readonly id: number; readonly summary: Summary }
  | { readonly id: number; readonly failure: { readonly code: number; readonly message: string } };

/** Actors of this process whose commands run beside each other, in as many threads as there are cores. */
export interface Crew extends AsyncDisposable {
  actor(name: string, home: string): Actor;
}

const MAX_THREADS = 4;

/** Start the threads; they end when the crew is disposed of, and at once when `signal` is aborted. */
export function hireCrew({ env, signal }: Pick<Context, 'env' | 'signal'>): Crew {
  const count = Math.min(availableParallelism(), MAX_THREADS);
  const threads = Array.from({ length: count }, () => startThread(env));
  const dismiss = async (): Promise<void> => {
    await Promise.all(threads.map((thread) => thread.end()));
  };
  const onAbort = (): void => void dismiss();
  signal.addEventListener('abort', onAbort, { once: true });
  let orders = 0;
  return {
    actor: (name, home) => ({
      name,
      home,
      async run(command, args = [], options = {}) {
        const thread = threads.reduce((a, b) => (b.pending() < a.pending() ? b : a));
        const report = await thread.run({ id: ++orders, name, home, command, args, options });
        if ('summary' in report) return report.summary;
        const { code, message } = report.failure;
        throw new CommandFailed(name, command, code, message);
      },
    }),
    async [Symbol.asyncDispose]() {
      signal.removeEventListener('abort', onAbort);
      await dismiss();
    },
  };
}

interface Thread {
  pending(): number;
  run(order: Order): Promise<Report>;
  end(): Promise<void>;
}

function startThread(env: Context['env']): Thread {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const path = fileURLToPath(new URL(`crew-thread.${extension}`, import.meta.url));
  const resourceLimits = { maxYoungGenerationSizeMb: 64 };
  const worker = new Worker(path, { workerData: { env }, resourceLimits });
  const waiting = new Map<number, PromiseWithResolvers<Report>>();
  const failAll = (error: Error): void => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.on('message', (report: Report) => {
    waiting.get(report.id)?.resolve(report);
    waiting.delete(report.id);
  });
  worker.on('error', (error) => {
    failAll(error instanceof Error ? error : new Error('a thread of the rehearsal failed'));
  });
  worker.on('exit', () => {
    failAll(new InterruptedError());
  });
  return {
    pending: () => waiting.size,
    run(order) {
      const result = Promise.withResolvers<Report>();
      waiting.set(order.id, result);
      worker.postMessage(order);
      return result.promise;
    },
    async end() {
      await worker.terminate();
    },
  };
}
