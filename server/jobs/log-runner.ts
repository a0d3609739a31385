import { describeFailure } from '../services/failure.ts';
import type { Sequencer } from '../services/log/sequencer.ts';
import type { ScheduleClock } from '../services/log/schedule.ts';
import { runOnSchedule } from '../services/log/schedule.ts';
import { LogStateError } from '../services/log/recover.ts';
import { LogAheadError } from '../services/log/witnesses.ts';
import type { Logger } from '../services/logger.ts';

const REOPEN_MS = 5_000;

/** Keeps the log growing. */
export interface LogRunner {
  /** Leaves under the published checkpoint. */
  readonly size: () => number;
  /** Bring everything that waits into the log, now rather than on schedule. */
  readonly sequence: () => Promise<void>;
  /** Until `signal` is aborted. Rejects when the log cannot be trusted any more. */
  run(intervalMs: number, signal: AbortSignal): Promise<void>;
}

/**
 * Run the sequencer, and open another one when it has stopped.
 *
 * It stops at any failure, such as a full disk, because it cannot know what took effect; opening
 * finds out. Meanwhile everything else goes on: leaves wait in their queue. When a witness knows more
 * of the log than we do, it stays stopped, because somebody has to find out why.
 *
 * @param afterRun - Called with the size after every run.
 */
export async function openLogRunner(deps: {
  readonly open: () => Promise<Sequencer>;
  readonly afterRun: (size: number) => Promise<void>;
  readonly clock: ScheduleClock;
  readonly logger: Logger;
}): Promise<LogRunner> {
  const { open, afterRun, clock, logger } = deps;
  let sequencer = await open();

  const addEpoch = async (): Promise<void> => {
    await sequencer.sequenceOnce();
    await afterRun(sequencer.checkpoint().size);
  };

  return {
    size: () => sequencer.checkpoint().size,
    async sequence() {
      await sequencer.sequenceAll();
      await afterRun(sequencer.checkpoint().size);
    },
    async run(intervalMs, signal) {
      while (!signal.aborted) {
        try {
          await runOnSchedule(addEpoch, intervalMs, clock, signal);
        } catch (error) {
          if (error instanceof LogAheadError) {
            // Once an epoch, for as long as it lasts.
            logger.error(
              { code: 'log_ahead', ...describeFailure(error) },
              'a witness knows more of the log than this server: nothing is signed',
            );
            continue;
          }
          logger.error({ code: 'log_stopped', ...describeFailure(error) }, 'the log has stopped');
          await clock.wait(REOPEN_MS, signal);
          try {
            if (!isAborted(signal)) sequencer = await open();
          } catch (reason) {
            if (reason instanceof LogStateError) throw reason;
            logger.error(describeFailure(reason), 'the log cannot be opened yet');
          }
        }
      }
    },
  };
}

/** It may have been while we waited. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
