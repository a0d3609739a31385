import { describeFailure } from '../services/failure.ts';
import type { Logger } from '../services/logger.ts';

/** Work that is done again and again until stopped. */
export interface Loop {
  /** Do it now rather than at the next turn. */
  kick(): void;
  /** Resolves when the run under way, if any, is over. */
  stop(): Promise<void>;
}

/**
 * Run `task` every `intervalMs`, and whenever kicked, never twice at a time.
 *
 * A run that fails is reported and tried again at the next turn.
 */
export function startLoop(
  name: string,
  intervalMs: number,
  task: () => Promise<void>,
  logger: Logger,
): Loop {
  let running: Promise<void> | undefined;
  let isKicked = false;
  let isStopped = false;

  const run = async (): Promise<void> => {
    do {
      isKicked = false;
      try {
        await task();
      } catch (error) {
        logger.error({ job: name, ...describeFailure(error) }, 'job failed');
        return;
      }
      // Both change while the task runs.
    } while (isKicked && !(isStopped as boolean));
  };
  const kick = (): void => {
    if (isStopped) return;
    isKicked = true;
    running ??= run().finally(() => {
      running = undefined;
    });
  };
  const timer = setInterval(kick, intervalMs);

  return {
    kick,
    async stop() {
      isStopped = true;
      clearInterval(timer);
      await running;
    },
  };
}
