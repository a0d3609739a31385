/** Ends one request: when the person says so, when it takes too long, when nothing arrives. */
export interface Deadline {
  readonly signal: AbortSignal;
  isTimedOut(): boolean;
  /** Something arrived. */
  touch(): void;
  /** The request is over; nothing fires any more. */
  clear(): void;
}

/**
 * Timers of our own rather than `AbortSignal.any` over `AbortSignal.timeout`: those tell neither
 * what ended the request nor about a transfer that stands still.
 *
 * @param timeoutMs - For all of it.
 * @param stallMs - Between two signs of life.
 */
export function startDeadline(
  interrupt: AbortSignal,
  timeoutMs: number,
  stallMs: number,
): Deadline {
  const controller = new AbortController();
  let isTimedOut = false;
  let isOver = false;
  const end = (): void => {
    controller.abort();
  };
  const timeOut = (): void => {
    isTimedOut = true;
    end();
  };
  const total = setTimeout(timeOut, timeoutMs);
  let stall = setTimeout(timeOut, stallMs);
  if (interrupt.aborted) end();
  interrupt.addEventListener('abort', end);
  return {
    signal: controller.signal,
    isTimedOut: () => isTimedOut,
    touch() {
      clearTimeout(stall);
      if (!isOver) stall = setTimeout(timeOut, stallMs);
    },
    clear() {
      isOver = true;
      clearTimeout(total);
      clearTimeout(stall);
      interrupt.removeEventListener('abort', end);
    },
  };
}
