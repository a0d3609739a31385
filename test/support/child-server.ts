import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../server/main.ts', import.meta.url));

/** The server as a process of its own. */
export interface ChildServer {
  readonly url: string;
  readonly process: ChildProcess;
  /** Everything it wrote to standard output so far. */
  readonly output: readonly string[];
  /** Send a signal and wait for the end; the exit code, or the signal's name. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

/** How a server that was not to run ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function spawnServer(args: readonly string[], env: Record<string, string>): ChildProcess {
  const { PATH = '' } = process.env;
  return spawn(process.execPath, [MAIN, ...args], {
    env: { PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Start the server and wait until it listens. @throws Error with its last words if it does not. */
export async function startChild(env: Record<string, string>): Promise<ChildServer> {
  const child = spawnServer([], env);
  const output: string[] = [];
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  const url = await new Promise<string>((resolve, reject) => {
    if (child.stdout === null) throw new Error('no standard output');
    createInterface({ input: child.stdout }).on('line', (line) => {
      output.push(line);
      const record = JSON.parse(line) as { msg?: string; url?: string };
      if (record.msg === 'listening' && record.url !== undefined) resolve(record.url);
    });
    child.once('exit', () => {
      reject(new Error(`the server did not start: ${complaint}`));
    });
  });
  return {
    url,
    process: child,
    output,
    async end(signal) {
      child.kill(signal);
      const [code, killedBy] = await ended;
      return killedBy ?? code ?? -1;
    },
  };
}

/** Run the server, or a sub-command of it, to its end. */
export async function runServer(
  args: readonly string[],
  env: Record<string, string>,
): Promise<Ended> {
  const child = spawnServer(args, env);
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}
