import { once } from 'node:events';
import { argv, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

import { hashWork, WIDTH } from './hash-work.ts';

// A process of its own, as audit-run.ts: node hash-rate.ts THREADS MILLISECONDS

const WARM_UP_TILES = 400;

/** How fast this machine hashes what an audit has to hash. */
export interface HashRate {
  /** Leaves a second on all threads: each is one hash of a leaf and nearly one of a node. */
  readonly perSecond: number;
  /** CPU time of one leaf, in nanoseconds. */
  readonly cpuNs: number;
}

/** `crypto.hash` once it is compiled, on so many threads at once. */
async function measureHashRate(threads: number, milliseconds: number): Promise<HashRate> {
  const path = fileURLToPath(import.meta.url);
  const workers = Array.from(
    { length: threads },
    () => new Worker(path, { workerData: { milliseconds } }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const done = workers.map((worker) => once(worker, 'message'));
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  for (const worker of workers) worker.postMessage('go');
  const tiles = (await Promise.all(done)).map(([count]) => count as number);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  await Promise.all(workers.map((worker) => worker.terminate()));
  const leaves = WIDTH * tiles.reduce((sum, count) => sum + count, 0);
  return { perSecond: leaves / seconds, cpuNs: ((user + system) * 1000) / leaves };
}

function hashInThread(milliseconds: number): void {
  const hashTile = hashWork();
  for (let i = 0; i < WARM_UP_TILES; i++) hashTile();
  parentPort?.on('message', () => {
    const start = performance.now();
    let tiles = 0;
    for (; performance.now() - start < milliseconds; tiles++) hashTile();
    parentPort?.postMessage(tiles);
  });
  parentPort?.postMessage('ready');
}

if (isMainThread) {
  const [threads = 1, milliseconds = 1] = argv.slice(2).map(Number);
  stdout.write(JSON.stringify(await measureHashRate(threads, milliseconds)));
} else {
  const { milliseconds } = workerData as { milliseconds: number };
  hashInThread(milliseconds);
}
