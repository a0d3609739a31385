/** Time for a schedule. */
export interface ScheduleClock {
  /** Unix time in milliseconds. */
  now(): number;
  /** Resolves after `ms`, or as soon as `signal` is aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/**
 * Run a task at every multiple of `intervalMs`, one run at a time, until `signal` is aborted.
 *
 * The instants follow the clock alone, never the length of a run or what arrived meanwhile, so they
 * tell an observer nothing. A run that takes longer skips the instants it overlaps.
 *
 * @throws What the task throws; then it is not run again.
 */
export async function runOnSchedule(
  task: () => Promise<unknown>,
  intervalMs: number,
  clock: ScheduleClock,
  signal: AbortSignal,
): Promise<void> {
  const nextInstant = (): Promise<void> =>
    clock.wait(intervalMs - (clock.now() % intervalMs), signal);
  await nextInstant();
  while (!signal.aborted) {
    await task();
    await nextInstant();
  }
}
