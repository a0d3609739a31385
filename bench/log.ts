import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { growthTable, measureGrowth, type GrowthTimes } from './log-growth.ts';
import { measureTiles, tileTable, type TileTimes } from './log-tiles.ts';

export interface LogTimes extends GrowthTimes {
  readonly tiles: TileTimes;
}

/** How fast the log grows durably, and how fast its tiles are served. */
export async function measureLog(rounds: number): Promise<LogTimes> {
  await using undo = new AsyncDisposableStack();
  const scratch = await mkdtemp(join(tmpdir(), 'sealdrop-bench-'));
  undo.defer(() => rm(scratch, { recursive: true, force: true }));
  const growth = await measureGrowth(scratch);
  return { ...growth, tiles: await measureTiles(rounds) };
}

export function logReport({ tiles, ...growth }: LogTimes): string {
  return [
    'Log: checkpoints signed and durable, on the disk of the temporary folder; then full tiles over\n',
    `HTTP, ${tiles.connections} connections, median of ${tiles.rounds.length} rounds, servers in turn, load on the same cores\n\n`,
    `${growthTable(growth)}\n${tileTable(tiles)}`,
  ].join('');
}
