import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { listen } from './support/static-server.ts';

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const BIN = fileURLToPath(new URL('../../bin/sealdrop.mjs', import.meta.url));
const PIN = 'ab'.repeat(32);

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Options {
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the running process. */
  readonly meanwhile?: (kill: (signal: NodeJS.Signals) => void) => Promise<void>;
}

async function run(
  file: string,
  args: readonly string[],
  options: Options = {},
): Promise<Finished> {
  const home = await mkdtemp(join(tmpdir(), 'sealdrop-process-'));
  const env = { ...process.env, SEALDROP_HOME: home, ...options.env };
  const child = spawn(process.execPath, [file, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const closed = once(child, 'close') as Promise<[number | null]>;
  await options.meanwhile?.((signal) => child.kill(signal));
  const [code] = await closed;
  await rm(home, { recursive: true, force: true });
  return { code, stdout, stderr };
}

describe('sealdrop as a process', () => {
  it('prints JSON lines on stdout, the last a summary, and exits 0', async () => {
    const { code, stdout, stderr } = await run(MAIN, ['config', 'show', '--json']);
    assert.deepEqual([code, stderr], [0, '']);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    assert.deepEqual(lines.at(-1), {
      message_type: 'summary',
      home: (lines.at(-1) as { home: string }).home,
      server: null,
      rootSha256: null,
      officer: null,
      operator: null,
      campaigns: [],
    });
  });

  it('exits 2 on a usage error, with exit_error on stderr for --json', async () => {
    const { code, stdout, stderr } = await run(MAIN, ['trust', 'add', '--json']);
    assert.deepEqual([code, stdout], [2, '']);
    const { message_type, code: reported } = JSON.parse(stderr) as Record<string, unknown>;
    assert.deepEqual([message_type, reported], ['exit_error', 2]);
  });

  it('exits 4 where a login is needed and there is no key', async () => {
    const { code, stderr } = await run(MAIN, ['trust', 'sign', 'nowhere']);
    assert.equal(code, 4);
    assert.match(stderr, /officer init/);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`exits 130 soon after ${signal}, in the middle of a request`, async () => {
      const asked = Promise.withResolvers<undefined>();
      await using server = await listen(() => {
        asked.resolve(undefined);
      });
      const { code, stderr } = await run(MAIN, ['trust', 'add', server.url, '--root-sha256', PIN], {
        async meanwhile(kill) {
          await asked.promise;
          kill(signal);
        },
      });
      assert.deepEqual([code, stderr], [130, 'sealdrop: interrupted\n']);
    });
  }

  it('takes the home directory from the option before the environment', async () => {
    const { stdout } = await run(MAIN, ['config', 'show', '--json', '--home', '/nonexistent/h']);
    assert.equal((JSON.parse(stdout) as { home: string }).home, '/nonexistent/h');
  });

  it('shows help when nothing is asked', async () => {
    const { code, stdout } = await run(MAIN, []);
    assert.equal(code, 0);
    assert.match(stdout, /^Usage: sealdrop/);
  });

  it('starts through bin/sealdrop.mjs', async () => {
    const { code, stdout } = await run(BIN, ['--version']);
    assert.equal(code, 0);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  });
});
