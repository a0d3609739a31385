import { UsageError } from './errors.ts';
import type { Output } from './output.ts';

/** One option as a person types it; `main.ts` turns it into commander's. */
export interface OptionSpec {
  /** `--key <file>` takes a value, `--wait` is a switch. */
  readonly flag: string;
  readonly description: string;
  readonly required?: boolean;
  /** May be given several times; its value is then a list. */
  readonly many?: boolean;
  readonly defaultValue?: string;
}

interface ArgumentSpec {
  readonly name: string;
  readonly description: string;
  readonly optional?: boolean;
  readonly many?: boolean;
}

/** What a person typed, after the command's name. Option names are camel-cased: `rootSha256`. */
export interface Input {
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
}

/** Everything outside of the command itself. Commands reach for nothing else. */
export interface Context {
  /** Absolute path of the home directory; see `home/home.ts`. */
  readonly home: string;
  readonly out: Output;
  readonly fetch: typeof fetch;
  /** Unix milliseconds. */
  now(): number;
  randomBytes(length: number): Uint8Array;
  /** Rejects with the signal's reason when interrupted. */
  sleep(ms: number): Promise<void>;
  readonly signal: AbortSignal;
  /** Asks the person at the terminal and gives the line they type; absent without a terminal. */
  readonly ask?: (question: string) => Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type CommandGroup = 'officer' | 'operator' | 'reviewer' | 'auditor' | 'all';

export interface Command {
  /** `status`, or two words for a subcommand: `trust add`. */
  readonly name: string;
  readonly group: CommandGroup;
  /** One line, imperative, no full stop. */
  readonly summary: string;
  readonly args?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  /** One command line that works as it stands, for `--help`. */
  readonly example: string;
  run(input: Input, context: Context): Promise<void>;
}

/** `--root-sha256 <hex>` → `rootSha256`, as commander names it. */
export function optionName(spec: OptionSpec): string {
  const long = /--([a-z0-9-]+)/.exec(spec.flag)?.[1];
  if (long === undefined) throw new Error(`option without a long name: ${spec.flag}`);
  return long.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** The other way round, without its value: `rootSha256` → `--root-sha256`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/**
 * Run one command in this process: what the drill, the tests and `main.ts` call.
 *
 * @throws {@link UsageError} when the input is not what the command declares; else whatever it throws.
 */
export async function runCommand(
  command: Command,
  input: Partial<Input>,
  context: Context,
): Promise<void> {
  await command.run(checkInput(command, input), context);
}

function checkInput(command: Command, { args = [], options = {} }: Partial<Input>): Input {
  const specs = new Map((command.options ?? []).map((spec) => [optionName(spec), spec]));
  for (const name of Object.keys(options)) {
    if (!specs.has(name)) throw new UsageError(`${command.name} has no option "${name}"`);
  }
  const checked: Record<string, string | boolean | readonly string[] | undefined> = {};
  for (const [name, spec] of specs) {
    const value = options[name] ?? spec.defaultValue;
    if (spec.required && value === undefined) throw new UsageError(`${spec.flag} is required`);
    if (value === undefined) continue;
    const kind = spec.many ? 'object' : spec.flag.includes('<') ? 'string' : 'boolean';
    if (typeof value !== kind) throw new UsageError(`${spec.flag} has a value of the wrong kind`);
    checked[name] = value;
  }
  const declared = command.args ?? [];
  const missing = declared.find((spec, index) => !spec.optional && args[index] === undefined);
  if (missing) throw new UsageError(`<${missing.name}> is missing`);
  if (args.length > declared.length && !declared.at(-1)?.many) {
    throw new UsageError(`${command.name} takes ${declared.length} arguments, not ${args.length}`);
  }
  return { args, options: checked };
}

/** The argument at `index`. `runCommand` has checked that what is required is there. */
export function argument(input: Input, index: number): string {
  const value = input.args[index];
  if (value === undefined) throw new UsageError('an argument is missing');
  return value;
}

/** The value of an option that takes one, if given. */
export function findOption(input: Input, name: string): string | undefined {
  const value = input.options[name];
  if (value !== undefined && typeof value !== 'string')
    throw new UsageError(`--${name} takes text`);
  return value;
}

/** The value of a required option. */
export function getOption(input: Input, name: string): string {
  const value = findOption(input, name);
  if (value === undefined) throw new UsageError(`${flagOf(name)} is required`);
  return value;
}

/** The values of an option that may be given several times; none gives an empty list. */
export function listOption(input: Input, name: string): readonly string[] {
  const value = input.options[name];
  if (value === undefined) return [];
  if (typeof value !== 'object') throw new UsageError(`option "${name}" takes a list`);
  return value;
}

/** Whether a switch was given. */
export function hasFlag(input: Input, name: string): boolean {
  return input.options[name] === true;
}

/**
 * A whole number from an option's text.
 *
 * @throws {@link UsageError} unless it is written plainly and lies in `min..max`.
 */
export function wholeNumber(text: string, what: string, min: number, max: number): number {
  const value = /^(0|[1-9][0-9]{0,14})$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw new UsageError(`${what} must be a whole number from ${min} to ${max}`);
  }
  return value;
}
