import type { Output } from '../output.ts';

/** Tells a person what the rehearsal is doing, and keeps how long each phase took. */
export interface Narrator {
  /** Run one phase under a heading. */
  phase<T>(title: string, work: () => Promise<T>): Promise<T>;
  /** Something that happened within a phase. */
  said(text: string): void;
  /** How far the current phase is; replaces itself on a terminal. */
  progress(done: number, total: number, what: string): void;
  /** Real milliseconds by phase, in order. */
  readonly timings: readonly { readonly phase: string; readonly ms: number }[];
}

const BAR_WIDTH = 28;

/** A bar of `done` out of `total`, with marks where `marks` (0 to 1) lie. */
export function bar(done: number, total: number, marks: readonly number[] = []): string {
  const filled = total === 0 ? 0 : Math.floor((done / total) * BAR_WIDTH);
  const cells = Array.from({ length: BAR_WIDTH }, (_, i): string => (i < filled ? '█' : '░'));
  for (const mark of marks) cells.splice(Math.floor(mark * BAR_WIDTH), 0, '│');
  return cells.join('');
}

export function createNarrator(out: Output, now: () => number): Narrator {
  const timings: { phase: string; ms: number }[] = [];
  return {
    timings,
    async phase(title, work) {
      const start = now();
      out.line(`\n${String(timings.length + 1).padStart(2)}. ${title}`);
      out.event('phase', { phase: title });
      const result = await work();
      const ms = now() - start;
      timings.push({ phase: title, ms });
      out.progress('');
      out.line(`    done in ${(ms / 1000).toFixed(1)} s`);
      return result;
    },
    said(text) {
      out.line(`    ${text}`);
      out.event('said', { text });
    },
    progress(done, total, what) {
      out.progress(`    ${bar(done, total)} ${done}/${total} ${what}`);
      out.event('progress', { done, total, what });
    },
  };
}
