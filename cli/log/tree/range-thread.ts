import { parentPort, workerData } from 'node:worker_threads';
import { ProtocolError } from '../../../protocol/errors.ts';
import { localRangeChecker } from './local-ranges.ts';
import type { Outcome } from './threads.ts';
import type { TileRange } from './tile-range.ts';

// One thread of threads.ts: a range in, its roots out.

const { directory } = workerData as { directory: string };
const check = localRangeChecker(directory);

function outcomeOf(range: TileRange): Outcome {
  try {
    return { made: check(range) };
  } catch (error) {
    if (!(error instanceof ProtocolError)) return { error };
    // An error loses its class on the way between threads.
    return { refused: { code: error.code, message: error.message } };
  }
}

parentPort?.on('message', (range: TileRange) => {
  parentPort?.postMessage(outcomeOf(range));
});
