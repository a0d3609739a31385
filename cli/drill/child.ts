import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { execPath } from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Path of a program of this repository, as sources or as compiled JavaScript. */
function programPath(name: 'server' | 'cli'): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`../../${name}/main.${extension}`, import.meta.url));
}

/** What a finished CLI process said. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Run one `sealdrop` command as a process of its own and wait for it. */
export async function runCli(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Outcome> {
  const child = spawn(execPath, [programPath('cli'), ...args], {
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? 1, stdout, stderr };
}

/** A child that runs until it is stopped. */
export interface RunningChild extends AsyncDisposable {
  readonly pid: number;
  /** Ends it as an operator would, with SIGTERM, and waits. */
  stop(): Promise<void>;
  /** Leaves it running when this process ends. */
  detach(): void;
}

/** Start a long-running `sealdrop` command, such as an officer's agent. */
export function startCli(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): RunningChild {
  return running(
    spawn(execPath, [programPath('cli'), ...args], { env: { ...env }, stdio: 'ignore' }),
  );
}

/**
 * Start the server and wait until it listens.
 *
 * @param env - The server's whole environment; it reads its configuration from there.
 * @throws Error with the end of its log when it stops before it listens.
 */
export async function startServer(
  env: Readonly<Record<string, string | undefined>>,
): Promise<RunningChild & { readonly url: string }> {
  const child = spawn(execPath, [programPath('server')], {
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const tail: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    const onLine = (line: string): void => {
      tail.push(line);
      if (tail.length > 20) tail.shift();
      const said = listeningUrl(line);
      if (said !== undefined) resolve(said);
    };
    createInterface({ input: child.stdout }).on('line', onLine);
    createInterface({ input: child.stderr }).on('line', onLine);
    child.once('exit', () => {
      reject(new Error(`the server stopped before it listened:\n${tail.join('\n')}`));
    });
  });
  return { ...running(child), url };
}

/** Run a sub-command of the server, such as `card`, and return what it prints. */
export async function runServerCommand(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const child = spawn(execPath, [programPath('server'), ...args], {
    env: { ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`server ${args.join(' ')} ended with ${String(code)}`);
  return stdout;
}

function listeningUrl(line: string): string | undefined {
  if (!line.includes('"listening"')) return undefined;
  const record: unknown = JSON.parse(line);
  return typeof record === 'object' && record !== null && 'url' in record
    ? String(record.url)
    : undefined;
}

function running(child: ChildProcess): RunningChild {
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await ended;
    }
  };
  return {
    pid: child.pid ?? 0,
    stop,
    detach: () => {
      child.unref();
      child.stdout?.destroy();
      child.stderr?.destroy();
    },
    [Symbol.asyncDispose]: stop,
  };
}
