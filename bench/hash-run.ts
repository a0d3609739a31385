import { once } from 'node:events';
import { argv, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

import { hashWork, WIDTH } from './hash-work.ts';

// Bare hashing from a standing start, as audit-run.ts audits: a process of its own, whose threads are
// started and whose code is compiled while the clock runs. node hash-run.ts LEAVES THREADS

/** As many as an audit's thread takes at a time. */
const TILES_AT_ONCE = 64;

/** @param next - The first tile that nobody has taken yet. */
function hashTiles(next: Int32Array<SharedArrayBuffer>, tiles: number): void {
  const hashTile = hashWork();
  for (;;) {
    const first = Atomics.add(next, 0, TILES_AT_ONCE);
    if (first >= tiles) return;
    const end = Math.min(tiles, first + TILES_AT_ONCE);
    for (let tile = first; tile < end; tile++) hashTile();
  }
}

if (isMainThread) {
  const [leaves = 0, threads = 1] = argv.slice(2).map(Number);
  const tiles = Math.ceil(leaves / WIDTH);
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  const next = new Int32Array(new SharedArrayBuffer(4));
  const path = fileURLToPath(import.meta.url);
  const others = Array.from({ length: threads - 1 }, () => {
    const worker = new Worker(path, { workerData: { next, tiles } });
    return once(worker, 'exit');
  });
  hashTiles(next, tiles);
  await Promise.all(others);
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuBefore);
  stdout.write(JSON.stringify({ leaves: tiles * WIDTH, ms, cpuMs: (user + system) / 1000 }));
} else {
  const { next, tiles } = workerData as { next: Int32Array<SharedArrayBuffer>; tiles: number };
  hashTiles(next, tiles);
}
