import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { CliError, InterruptedError } from '../../errors.ts';

/** What of the outside a git process gets: where git is, and when to stop. */
export interface GitContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

export interface GitCall {
  /** Path of a clone or a bare repository; none for what needs none. */
  readonly repository?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  /** What to say when it fails. */
  readonly onFailure: string;
  readonly input?: Uint8Array | string;
}

/** Neither hooks nor anybody's configuration may change what a patch means, nor run a program. */
const SETTINGS = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'apply.ignoreWhitespace=no',
  'credential.helper=',
  'gc.auto=0',
  'maintenance.auto=false',
];

/** Much more than any answer that is read whole. */
const MAX_OUTPUT_BYTES = 2 ** 26;
const MAX_COMPLAINT = 2000;

type Git = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Start git, without anybody's configuration, keys or terminal.
 *
 * It speaks to nobody unless `env` allows it a protocol, not even to fetch what a clone has left out.
 */
export function startGit({ repository, env, args }: GitCall, context: GitContext): Git {
  const settings = SETTINGS.flatMap((setting) => ['-c', setting]);
  const place = repository === undefined ? [] : ['-C', repository];
  return spawn('git', [...place, ...settings, ...args], {
    env: {
      PATH: context.env['PATH'],
      LC_ALL: 'C',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
      GIT_ALLOW_PROTOCOL: 'none',
      ...env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
    signal: context.signal,
  });
}

/**
 * Run git and give what it said, trimmed.
 *
 * @throws {@link CliError} with `onFailure`, and the last line of git's complaint as its cause;
 *   {@link InterruptedError}.
 */
export async function runGit(call: GitCall, context: GitContext): Promise<string> {
  const git = startGit(call, context);
  const parts: Buffer[] = [];
  let length = 0;
  const read = async (): Promise<void> => {
    for await (const part of git.stdout as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > MAX_OUTPUT_BYTES) {
        git.kill('SIGKILL');
        throw new CliError(`${call.onFailure}: git says too much`);
      }
      parts.push(part);
    }
  };
  const ended = endOf(git, call, context);
  git.stdin.on('error', () => undefined); // it may end before it has read everything
  git.stdin.end(call.input ?? '');
  await Promise.all([read(), ended]);
  return Buffer.concat(parts).toString().trim();
}

/** Settle with the process. `git.stdout` is for the caller to read, all of it. */
export async function endOf(git: Git, call: GitCall, context: GitContext): Promise<void> {
  let complaint = '';
  git.stderr.on('data', (part: Buffer) => {
    complaint = `${complaint}${part.toString()}`.slice(-MAX_COMPLAINT);
  });
  try {
    const [code] = (await once(git, 'close')) as [number | null];
    if (code === 0) return;
  } catch (error) {
    if (context.signal.aborted) throw interruption(context.signal);
    throw new CliError(call.onFailure, 'is git installed?', { cause: error });
  }
  if (context.signal.aborted) throw interruption(context.signal);
  const said = complaint.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
  throw new CliError(call.onFailure, undefined, { cause: new Error(said) });
}

/** A person's interruption; a time limit of our own is the reason that it gives. */
function interruption({ reason }: AbortSignal): unknown {
  return reason instanceof CliError ? reason : new InterruptedError();
}
