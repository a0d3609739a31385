import { describeFailure } from '../services/failure.ts';
import type { Logger } from '../services/logger.ts';

/** Work that is done again and again until stopped. */
export interface Loop {
  /** Do it now rather than at the next turn. */
  readonly kick: () => void;
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
  const state = { isKicked: false, isStopped: false };

  const run = async (): Promise<void> => {
    do {
      state.isKicked = false;
      try {
        await task();
      } catch (error) {
        logger.error({ job: name, ...describeFailure(error) }, 'job failed');
        return;
      }
    } while (shouldGoOn());
  };
  /** Both change while the task runs. */
  const shouldGoOn = (): boolean => state.isKicked && !state.isStopped;
  const kick = (): void => {
    if (state.isStopped) return;
    state.isKicked = true;
    running ??= run().finally(() => {
      running = undefined;
    });
  };
  const timer = setInterval(kick, intervalMs);

  return {
    kick,
    async stop() {
      state.isStopped = true;
      clearInterval(timer);
      await running;
    },
  };
}
