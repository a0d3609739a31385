import assert from 'node:assert/strict';
import { exitCodeOf } from '../../../../cli/exit-code.ts';
import type { Run } from './stage.ts';

/** What a command exits with, 0 when it succeeds; its failure has to say this. */
export async function exitOf(run: Promise<Run>, said: RegExp): Promise<number> {
  try {
    await run;
  } catch (error) {
    assert.match((error as Error).message, said);
    return exitCodeOf(error);
  }
  return 0;
}
