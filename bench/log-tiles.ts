import { join } from 'node:path';
import { formatTilePath } from '../protocol/log/tile-path.ts';
import { tilesOf } from '../protocol/log/tiles.ts';
import { openSequencer } from '../server/services/log/sequencer.ts';
import { startChild } from '../test/support/child-server.ts';
import { prepareData, TEST_ORIGIN } from '../test/support/test-server.ts';
import { startNginx } from './nginx.ts';
import { openLog } from './open-log.ts';
import { cpuTimeMs } from './process-time.ts';
import { formatTable, median } from './table.ts';
import { loadPaths } from './tile-load.ts';

interface ServerRate {
  readonly perSecond: number;
  readonly megabytesPerSecond: number;
  /** Tiles for each second of CPU time that the server took; only where there is a `/proc`. */
  readonly perCpuSecond: number | undefined;
}

/** One after the other within a minute, so that they can be compared. */
interface TileRound {
  readonly node: ServerRate;
  readonly nginx: ServerRate | undefined;
}

export interface TileTimes {
  readonly leaves: number;
  readonly connections: number;
  readonly nginx: string | undefined;
  readonly rounds: readonly TileRound[];
}

const SERVED_LEAVES = 65_536;
const CONNECTIONS = 32;
const SECONDS = 4;
const NO_LIMITS = { ADDRESS_RATE: '1000000', IDENTITY_RATE: '1000000' };

/** How fast the tiles of a log are served, by us and by nginx. */
export async function measureTiles(count: number): Promise<TileTimes> {
  await using undo = new AsyncDisposableStack();
  const data = await prepareData();
  undo.defer(() => data.remove());
  {
    await using log = await openLog(data.dataDirectory, TEST_ORIGIN);
    const sequencer = await openSequencer({ ...log.deps, epochLeaves: 4096 });
    for (let size = 0; size < SERVED_LEAVES; size += 4096) await sequencer.sequenceOnce();
  }
  const child = await startChild(data.env({ ...NO_LIMITS, LOG_LEVEL: 'error' }));
  undo.defer(async () => {
    await child.end('SIGTERM');
  });
  const folder = join(data.dataDirectory, 'log');
  const nginx = await startNginx(folder, join(data.dataDirectory, '..', 'nginx'));
  if (nginx !== undefined) undo.use(nginx);

  const paths = [...tilesOf(SERVED_LEAVES)].map((tile) => `/log/${formatTilePath(tile)}`);
  const rate = async (url: URL, pid: number | undefined): Promise<ServerRate> => {
    const before = await cpuTimeMs(pid);
    const load = await loadPaths(url, paths, { connections: CONNECTIONS, seconds: SECONDS });
    const after = await cpuTimeMs(pid);
    return {
      perSecond: load.count / load.seconds,
      megabytesPerSecond: load.bytes / load.seconds / 1e6,
      perCpuSecond:
        before === undefined || after === undefined
          ? undefined
          : (load.count * 1000) / (after - before),
    };
  };
  const own = new URL(child.url);
  await rate(own, child.process.pid); // code has to be compiled first
  const rounds: TileRound[] = [];
  while (rounds.length < count) {
    const node = await rate(own, child.process.pid);
    rounds.push({ node, nginx: nginx && (await rate(nginx.url, nginx.pid)) });
  }
  return { leaves: SERVED_LEAVES, connections: CONNECTIONS, nginx: nginx?.version, rounds };
}

export function tileTable({ rounds, nginx }: TileTimes): string {
  const of = (read: (round: TileRound) => number | undefined): number | undefined => {
    const values = rounds.flatMap((round) => read(round) ?? []);
    return values.length === 0 ? undefined : median(values);
  };
  const row = (name: string, read: (round: TileRound) => ServerRate | undefined): string[] => [
    name,
    (of((round) => read(round)?.perSecond) ?? NaN).toFixed(0),
    (of((round) => read(round)?.megabytesPerSecond) ?? NaN).toFixed(0),
    of((round) => read(round)?.perCpuSecond)?.toFixed(0) ?? '?',
  ];
  const head = ['', 'tiles/s', 'MB/s', 'tiles per CPU second'];
  const ours = row('sealdrop, one process', ({ node }) => node);
  if (nginx === undefined) {
    return `${formatTable([head, ours])}  SKIPPED: nginx, which is not on this machine, so there is no ratio\n`;
  }
  const ratio = (read: (rate: ServerRate) => number | undefined): string =>
    of((round) => {
      const [a, b] = [read(round.node), round.nginx && read(round.nginx)];
      return a === undefined || b === undefined ? undefined : a / b;
    })?.toFixed(2) ?? '?';
  return formatTable([
    head,
    ours,
    row(`${nginx}, one worker`, (round) => round.nginx),
    [
      'ratio',
      ratio(({ perSecond }) => perSecond),
      ratio(({ megabytesPerSecond }) => megabytesPerSecond),
      ratio(({ perCpuSecond }) => perCpuSecond),
    ],
  ]);
}
