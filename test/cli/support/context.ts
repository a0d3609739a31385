import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../../../cli/command.ts';
import { createOutput } from '../../../cli/output.ts';

/** What a command said, collected. */
export interface Said {
  stdout: string;
  stderr: string;
  /** Stdout as JSON lines, for a context made with `json: true`. */
  events(): { message_type: string; [key: string]: unknown }[];
  /** The one summary line. */
  summary(): Record<string, unknown>;
}

export interface TestContext extends Context, AsyncDisposable {
  readonly said: Said;
}

/**
 * A command's surroundings in memory: its own home directory, removed at the end; a clock that
 * stands still unless told otherwise; sleep that returns at once.
 */
export async function testContext(
  options: Partial<Context> & { json?: boolean } = {},
): Promise<TestContext> {
  const { json = false, ...given } = options;
  const home = given.home ?? (await mkdtemp(join(tmpdir(), 'sealdrop-home-')));
  const said: Said = {
    stdout: '',
    stderr: '',
    events() {
      const lines = this.stdout.split('\n').filter((line) => line !== '');
      return lines.map((line) => JSON.parse(line) as { message_type: string });
    },
    summary() {
      const summaries = this.events().filter((line) => line.message_type === 'summary');
      const [summary] = summaries;
      if (summary === undefined || summaries.length > 1) throw new Error('not exactly one summary');
      return summary;
    },
  };
  const started = Date.now();
  return {
    out: createOutput({
      json,
      quiet: false,
      interactive: false,
      stdout: (text) => {
        said.stdout += text;
      },
      stderr: (text) => {
        said.stderr += text;
      },
    }),
    fetch: globalThis.fetch,
    now: () => started,
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    sleep: () => Promise.resolve(),
    signal: new AbortController().signal,
    env: {},
    ...given,
    home,
    said,
    async [Symbol.asyncDispose]() {
      if (given.home === undefined) await rm(home, { recursive: true, force: true });
    },
  };
}
