import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { z } from 'zod';
import { formatTable } from './table.ts';

const MAIN = fileURLToPath(new URL('../cli/main.ts', import.meta.url));

const summaryShape = z.object({
  message_type: z.literal('summary'),
  validators: z.number(),
  operators: z.number(),
  seconds: z.number(),
  phases: z.array(z.object({ phase: z.string(), ms: z.number() })),
});

/** Where a rehearsal of a whole campaign spends its time. */
export interface DrillTimes {
  readonly validators: number;
  readonly operators: number;
  readonly seconds: number;
  /** In the order in which they happen. */
  readonly phases: readonly { readonly phase: string; readonly ms: number }[];
}

/**
 * Play `drill` in a process of its own, as people run it.
 *
 * @throws Error with its last words when it ended without a summary.
 */
export async function measureDrill(validators: number): Promise<DrillTimes> {
  const folder = await mkdtemp(join(tmpdir(), 'sealdrop-bench-'));
  try {
    const args = ['--validators', String(validators), '--json', '--out', join(folder, 'record')];
    const child = spawn(process.execPath, [MAIN, 'drill', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let last = '';
    let complaint = '';
    createInterface({ input: child.stdout }).on('line', (line) => (last = line));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    await once(child, 'close');
    const summary = summaryShape.safeParse(last === '' ? undefined : JSON.parse(last));
    if (!summary.success) throw new Error(`the drill has failed: ${last} ${complaint}`);
    return {
      validators: summary.data.validators,
      operators: summary.data.operators,
      seconds: summary.data.seconds,
      phases: summary.data.phases,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function drillReport({ validators, operators, seconds, phases }: DrillTimes): string {
  const total = phases.reduce((sum, { ms }) => sum + ms, 0);
  const table = formatTable([
    ['', 'seconds', 'share'],
    ...phases.map(({ phase, ms }) => [
      phase,
      (ms / 1000).toFixed(1),
      `${((ms / total) * 100).toFixed(0)} %`,
    ]),
  ]);
  return `Drill of ${validators} validators, ${operators} operators: ${seconds.toFixed(1)} s\n\n${table}`;
}
