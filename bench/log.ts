import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { verifyEd25519 } from '../platform/ed25519.ts';
import { writeFileDurably } from '../platform/files.ts';
import { formatTilePath } from '../protocol/log/tile-path.ts';
import { tilesOf } from '../protocol/log/tiles.ts';
import { noteSigner } from '../protocol/signature/note.ts';
import { openSequencer } from '../server/services/log/sequencer.ts';
import type { Sequencer, SequencerDeps } from '../server/services/log/sequencer.ts';
import { noWitnesses } from '../server/services/log/witnesses.ts';
import { CommitQueue } from '../server/store/commit-queue.ts';
import { openDatabases } from '../server/store/database.ts';
import { openKeys } from '../server/store/keys.ts';
import { logFiles } from '../server/store/log/files.ts';
import { headStore } from '../server/store/log/head.ts';
import { leafStore } from '../server/store/log/leaves.ts';
import { enqueueLeaves } from '../server/store/log/queue.ts';
import { startChild } from '../test/support/child-server.ts';
import { prepareData, TEST_ORIGIN } from '../test/support/test-server.ts';
import { startNginx } from './nginx.ts';
import { cpuTimeMs } from './process-time.ts';
import { formatTable, median } from './table.ts';
import { loadPaths } from './tile-load.ts';

/** Checkpoints of one width, one after the other. */
interface Growth {
  /** Leaves a checkpoint; accepted before, in transactions of their own. */
  readonly width: number;
  /** Without the time that accepting them took. */
  readonly checkpointsPerSecond: number;
  readonly leavesPerSecond: number;
}

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

export interface LogTimes {
  /** Small files written so that they survive a power cut: what a checkpoint consists of. */
  readonly durableWritesPerSecond: number;
  readonly growth: readonly Growth[];
  readonly tiles: {
    readonly leaves: number;
    readonly connections: number;
    readonly nginx: string | undefined;
    readonly rounds: readonly TileRound[];
  };
}

const WIDTHS = [16, 256, 4096];
const CHECKPOINTS = 20;
const SERVED_LEAVES = 65_536;
const CONNECTIONS = 32;
const SECONDS = 4;
const NO_LIMITS = { ADDRESS_RATE: '1000000', IDENTITY_RATE: '1000000' };

/** How fast the log grows durably, and how fast its tiles are served. */
export async function measureLog(rounds: number): Promise<LogTimes> {
  await using undo = new AsyncDisposableStack();
  const scratch = await mkdtemp(join(tmpdir(), 'sealdrop-bench-'));
  undo.defer(() => rm(scratch, { recursive: true, force: true }));
  const growth: Growth[] = [];
  for (const width of WIDTHS) growth.push(await measureGrowth(join(scratch, `${width}`), width));
  return {
    durableWritesPerSecond: await measureWrites(scratch),
    growth,
    tiles: await measureTiles(rounds),
  };
}

export function logTable({ durableWritesPerSecond, growth, tiles }: LogTimes): string {
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
  return `${formatTable(rows)}\n${tileTable(tiles)}`;
}

function tileTable({ rounds, nginx }: LogTimes['tiles']): string {
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

async function measureWrites(folder: string): Promise<number> {
  const bytes = new Uint8Array(4096);
  const count = 100;
  const start = performance.now();
  for (let n = 0; n < count; n++) await writeFileDurably(join(folder, 'small'), bytes);
  return (count * 1000) / (performance.now() - start);
}

async function measureGrowth(directory: string, width: number): Promise<Growth> {
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

interface BenchedLog extends AsyncDisposable {
  readonly deps: Omit<SequencerDeps, 'epochLeaves'>;
  enqueue(count: number): Promise<void>;
}

/** The real stores in a data directory that no server runs on. */
async function openLog(directory: string, origin: string): Promise<BenchedLog> {
  const keys = await openKeys(join(directory, 'keys'));
  const databases = openDatabases(directory);
  const fail = (error: unknown): never => {
    throw new Error('the database does not take writes', { cause: error });
  };
  const commits = new CommitQueue(databases.writer, { flushMs: 0, onFatal: fail });
  let next = 0;
  return {
    deps: {
      signer: noteSigner(origin, keys.log),
      verify: verifyEd25519,
      leaves: leafStore(databases.reader, commits, keys.dummies),
      heads: headStore(join(directory, 'log-head')),
      files: logFiles(join(directory, 'log')),
      witnesses: noWitnesses,
      clock: { now: Date.now, wait: () => Promise.resolve() },
      logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
    },
    async enqueue(count) {
      const leaves = Array.from({ length: count }, (_, i) => ({
        leaf: `sealed/v1 ${(next + i).toString(16).padStart(64, '0')}\n`,
        queuedAt: '2026-11-20T14:00:00.000Z',
      }));
      next += count;
      await commits.run((tx) => enqueueLeaves(tx, leaves));
    },
    async [Symbol.asyncDispose]() {
      await commits.close();
      await databases.close();
    },
  };
}

async function measureTiles(count: number): Promise<LogTimes['tiles']> {
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
