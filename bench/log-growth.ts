import { join } from 'node:path';
import { writeFileDurably } from '../platform/files.ts';
import { openSequencer, type Sequencer } from '../server/services/log/sequencer.ts';
import { TEST_ORIGIN } from '../test/support/test-server.ts';
import { openLog, type BenchedLog } from './open-log.ts';
import { formatTable } from './table.ts';

/** Checkpoints of one width, one after the other. */
interface Growth {
  /** Leaves a checkpoint; accepted before, in transactions of their own. */
  readonly width: number;
  /** Without the time that accepting them took. */
  readonly checkpointsPerSecond: number;
  readonly leavesPerSecond: number;
}

export interface GrowthTimes {
  /** Small files written so that they survive a power cut: what a checkpoint consists of. */
  readonly durableWritesPerSecond: number;
  readonly growth: readonly Growth[];
}

const WIDTHS = [16, 256, 4096];
const CHECKPOINTS = 20;

/** How fast the log grows durably. */
export async function measureGrowth(scratch: string): Promise<GrowthTimes> {
  const growth: Growth[] = [];
  for (const width of WIDTHS) growth.push(await measureWidth(join(scratch, `${width}`), width));
  return { durableWritesPerSecond: await measureWrites(scratch), growth };
}

export function growthTable({ durableWritesPerSecond, growth }: GrowthTimes): string {
  const writes = durableWritesPerSecond;
  const rows = [
    ['', 'leaves/s', 'checkpoints/s', 'x durable write'],
    ['a small file, written durably', '', writes.toFixed(0), '1.00'],
    ...growth.map(({ width, leavesPerSecond, checkpointsPerSecond }) => [
      `checkpoints of ${width} leaves`,
      leavesPerSecond.toFixed(0),
      checkpointsPerSecond.toFixed(1),
      (checkpointsPerSecond / writes).toFixed(3),
    ]),
  ];
  return formatTable(rows);
}

async function measureWrites(folder: string): Promise<number> {
  const bytes = new Uint8Array(4096);
  const count = 100;
  const start = performance.now();
  for (let n = 0; n < count; n++) await writeFileDurably(join(folder, 'small'), bytes);
  return (count * 1000) / (performance.now() - start);
}

async function measureWidth(directory: string, width: number): Promise<Growth> {
  await using log = await openLog(directory, TEST_ORIGIN);
  const sequencer = await openSequencer({ ...log.deps, epochLeaves: width });
  let ms = 0;
  await addEpoch(log, sequencer, width);
  for (let n = 0; n < CHECKPOINTS; n++) ms += await addEpoch(log, sequencer, width);
  const perSecond = (CHECKPOINTS * 1000) / ms;
  return { width, checkpointsPerSecond: perSecond, leavesPerSecond: perSecond * width };
}

/** Accept leaves, then bring them into the log. @returns Milliseconds that the latter took. */
async function addEpoch(log: BenchedLog, sequencer: Sequencer, count: number): Promise<number> {
  await log.enqueue(count);
  const start = performance.now();
  await sequencer.sequenceOnce();
  return performance.now() - start;
}
