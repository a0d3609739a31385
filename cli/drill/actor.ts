import { setTimeout } from 'node:timers/promises';
import type { Command, Context, Input } from '../command.ts';
import { runCommand } from '../command.ts';
import { CliError } from '../errors.ts';
import { createOutput } from '../output.ts';
import { runCli } from './child.ts';

/** What a command was given: positional arguments, and options by their camel-cased names. */
export type Options = Input['options'];

/** The last JSON line of a command, without `message_type`. */
export type Summary = Readonly<Record<string, unknown>>;

/**
 * Somebody who takes part in a rehearsal, with a home directory of his own.
 *
 * Whether his commands run here or as processes, they are the same commands over the same HTTP.
 */
export interface Actor {
  readonly name: string;
  readonly home: string;
  /**
   * Run one command and return its summary.
   *
   * @throws {@link CommandFailed} with its exit code when it does not succeed.
   */
  run(command: string, args?: readonly string[], options?: Options): Promise<Summary>;
}

/** An actor in this process, who can also be told to stop. */
export interface InProcessActor extends Actor {
  /** Run a command that ends only when it is told to. */
  runUntil(command: string, options: Options, signal: AbortSignal): Promise<void>;
}

/** A command that ended with another exit code than 0. */
export class CommandFailed extends CliError {
  override readonly name = 'CommandFailed';
  readonly code: number;
  /** Without who ran what. */
  readonly reason: string;

  constructor(
    actor: string,
    command: string,
    code: number,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`${actor}: ${command}: ${reason}`, undefined, options);
    this.code = code;
    this.reason = reason;
  }
}

/** How to look a command up and what its failure exits with; given, so that nothing is imported in a circle. */
export interface CommandTable {
  load(name: string): Promise<Command>;
  exitCodeOf(error: unknown): number;
}

/** An actor whose commands run in this process. */
export function inProcessActor(
  name: string,
  home: string,
  base: Context,
  table: CommandTable,
): InProcessActor {
  const attempt = async (
    command: string,
    input: Partial<Input>,
    context: Context,
  ): Promise<Summary> => {
    const lines: string[] = [];
    const out = createOutput({
      json: true,
      quiet: true,
      interactive: false,
      stdout: (text) => lines.push(...text.split('\n')),
      stderr: () => undefined,
    });
    try {
      await runCommand(await table.load(command), input, { ...context, home, out });
    } catch (error) {
      if (context.signal.aborted) throw error;
      const message = error instanceof Error ? error.message : 'failed';
      throw new CommandFailed(name, command, table.exitCodeOf(error), message, { cause: error });
    }
    return summaryOf(lines);
  };
  return {
    name,
    home,
    run: (command, args = [], options = {}) => attempt(command, { args, options }, base),
    async runUntil(command, options, stop) {
      const signal = AbortSignal.any([base.signal, stop]);
      const sleep = async (ms: number): Promise<void> => setTimeout(ms, undefined, { signal });
      try {
        await attempt(command, { options }, { ...base, signal, sleep });
      } catch (error) {
        if (!stop.aborted) throw error;
      }
    },
  };
}

/** An actor each of whose commands is a process. */
export function processActor(
  name: string,
  home: string,
  env: Readonly<Record<string, string | undefined>>,
): Actor {
  return {
    name,
    home,
    async run(command, args = [], options = {}) {
      const line = ['--home', home, '--json', ...command.split(' '), ...args, ...flags(options)];
      const { code, stdout, stderr } = await runCli(line, env);
      if (code !== 0) throw new CommandFailed(name, command, code, reasonOf(stderr));
      return summaryOf(stdout.split('\n'));
    },
  };
}

/** `{rootSha256: 'ab'}` → `--root-sha256 ab`. */
function flags(options: Options): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (value === undefined || value === false) return [];
    if (value === true) return [flag];
    return typeof value === 'string' ? [flag, value] : value.flatMap((each) => [flag, each]);
  });
}

function summaryOf(lines: readonly string[]): Summary {
  const last = lines.findLast((line) => line.includes('"message_type":"summary"'));
  return last === undefined ? {} : (JSON.parse(last) as Summary);
}

/** What a failed process said last: its `exit_error` line, or whatever else it printed. */
function reasonOf(stderr: string): string {
  const last = stderr.trim().split('\n').at(-1) ?? '';
  if (!last.startsWith('{"message_type":"exit_error"')) return last;
  const { message, advice } = JSON.parse(last) as { message?: string; advice?: string };
  return [message, advice].filter((text) => text !== undefined).join('; ');
}
