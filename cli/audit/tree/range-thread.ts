import { parentPort, workerData } from 'node:worker_threads';
import { ProtocolError } from '../../../protocol/errors.ts';
import { localRangeChecker } from './local-ranges.ts';
import type { TileRange } from './ranges.ts';
import type { Outcome } from './threads.ts';

// One thread of threads.ts: a range in, its roots out.

const { directory } = workerData as { directory: string };
const check = localRangeChecker(directory);

function outcomeOf(tiles: TileRange): Outcome {
  try {
    return { range: check(tiles) };
  } catch (error) {
    if (!(error instanceof ProtocolError)) return { error };
    // An error loses its class on the way between threads.
    return { refused: { code: error.code, message: error.message } };
  }
}

parentPort?.on('message', (tiles: TileRange) => {
  parentPort?.postMessage(outcomeOf(tiles));
});
