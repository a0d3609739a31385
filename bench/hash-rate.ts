import { hash } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

// Measures when it is imported, and hashes when it is started as a thread.

/** The hash work that a tile of 256 sealed leaves takes, without anything around it. */
const WIDTH = 256;
/** The byte in front and a sealed leaf; the byte in front and two hashes. */
const LEAF_BYTES = 76;
const NODE_BYTES = 65;
const WARM_UP_TILES = 400;

/** How fast this machine hashes what an audit has to hash. */
export interface HashRate {
  /** Leaves a second on all threads: each is one hash of a leaf and nearly one of a node. */
  readonly perSecond: number;
  /** CPU time of one leaf, in nanoseconds. */
  readonly cpuNs: number;
}

/** `crypto.hash` over inputs that stand ready, results thrown away, on so many threads at once. */
export async function measureHashRate(threads: number, milliseconds: number): Promise<HashRate> {
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

function hashTile(leaves: readonly Buffer[], nodes: readonly Buffer[]): void {
  for (const leaf of leaves) hash('sha256', leaf, 'binary');
  for (const node of nodes) hash('sha256', node, 'binary');
}

function hashInThread(milliseconds: number): void {
  const leaves = Array.from({ length: WIDTH }, (_, i) => Buffer.alloc(LEAF_BYTES, i));
  const nodes = Array.from({ length: WIDTH - 1 }, (_, i) => Buffer.alloc(NODE_BYTES, i));
  for (let i = 0; i < WARM_UP_TILES; i++) hashTile(leaves, nodes);
  parentPort?.on('message', () => {
    const start = performance.now();
    let tiles = 0;
    for (; performance.now() - start < milliseconds; tiles++) hashTile(leaves, nodes);
    parentPort?.postMessage(tiles);
  });
  parentPort?.postMessage('ready');
}

if (!isMainThread && parentPort !== null) {
  const { milliseconds } = workerData as { milliseconds: number };
  hashInThread(milliseconds);
}
