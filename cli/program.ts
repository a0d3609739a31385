import { Command as CommanderCommand, CommanderError, Option } from 'commander';
import { optionName, type Command, type CommandGroup, type Input } from './command.ts';
import { UsageError } from './errors.ts';
import { EXIT_CODES, formatHelp, HEADINGS } from './help.ts';
import type { Listed } from './listing.ts';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly home?: string;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** The commands there are, and the way to the whole of one. */
export interface Commands {
  readonly listing: readonly Listed[];
  load(name: string): Promise<Command>;
}

/** What a person asked for: a command to run, or help that has been printed already. */
export type Request =
  { readonly command: Command; readonly input: Input; readonly globals: GlobalOptions } | 'done';

const ABOUT =
  'Distribute a security patch under embargo: sealed, committed to in public, opened at one hour.';

/**
 * Read a command line. Of the commands, only the one that is named in it is loaded.
 *
 * @param argv - What was typed after the program's name.
 * @param write - Receives help and the version.
 * @throws {@link UsageError} for anything that no command takes.
 */
export async function parseCommandLine(
  commands: Commands,
  argv: readonly string[],
  version: string,
  write: (text: string) => void,
): Promise<Request> {
  let request: Request = 'done';
  const program = buildProgram(commands, version, write, (asked) => {
    request = asked;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 'done';
    throw usageError(error, argv, commands.listing);
  }
  return request;
}

/** What commander says in one line, and what to do in another. */
function usageError(
  error: CommanderError,
  argv: readonly string[],
  listing: readonly Listed[],
): UsageError {
  const names = listing.map(({ name }) => name);
  if (error.code === 'commander.help') {
    const word = argv.find((it) => names.some((name) => name.startsWith(`${it} `))) ?? '';
    const whole = names.filter((name) => name.startsWith(`${word} `));
    return new UsageError(`"${word}" is half a command`, `one of: ${whole.join(', ')}`);
  }
  const [message = '', hint] = error.message.replace(/^error: /, '').split('\n');
  const found = names.filter((name) => ` ${argv.join(' ')} `.includes(` ${name} `));
  // `verify` is a command and the second word of others.
  const typed = found.toSorted((a, b) => b.length - a.length)[0];
  const help = typed === undefined ? 'sealdrop --help' : `sealdrop ${typed} --help`;
  return new UsageError(message, hint?.replace(/^\(|\)$/g, '') ?? `see: ${help}`);
}

function buildProgram(
  commands: Commands,
  version: string,
  write: (text: string) => void,
  ask: (request: Request) => void,
): CommanderCommand {
  const program = new CommanderCommand('sealdrop');
  // Set before any subcommand is added, because they inherit it.
  program
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: () => undefined })
    .showSuggestionAfterError()
    .allowExcessArguments(false)
    // Options are those of the word they follow: `witness` and `witness init` both have a --dir.
    .enablePositionalOptions()
    .description(ABOUT)
    .usage('<command> [options]')
    .version(version)
    .helpCommand(false)
    .addHelpText('after', EXIT_CODES)
    .configureHelp({ formatHelp });
  addGlobalOptions(program);
  const names = new Map(commands.listing.map((it) => [addListed(program, it), it.name]));
  for (const parent of [program, ...program.commands]) {
    // Runs before the asked word's own part of the line is read.
    parent.hook('preSubcommand', async (_, asked) => {
      const name = names.get(asked);
      if (name !== undefined) declare(asked, await commands.load(name), ask);
    });
  }
  return program;
}

function addGlobalOptions(target: CommanderCommand): void {
  target
    .optionsGroup('Everywhere:')
    .option('--home <dir>', 'keys and memory; SEALDROP_HOME, or sealdrop in the XDG config folder')
    .option('--json', 'JSON lines on stdout, the last a summary')
    .option('--quiet', 'no remarks beside the result');
}

/** Add what the overall help shows of a command. */
function addListed(
  program: CommanderCommand,
  { name, args, group, summary }: Listed,
): CommanderCommand {
  const [first = '', second] = name.split(' ');
  const parent = second === undefined ? program : findOrAddGroup(program, first, group);
  return parent
    .command(`${second ?? first} ${args}`)
    .helpGroup(HEADINGS[group])
    .summary(summary);
}

/** Add all the rest, from the command itself. */
function declare(
  target: CommanderCommand,
  command: Command,
  ask: (request: Request) => void,
): void {
  target
    .description(`${command.summary}.`)
    .addHelpText('after', `\nExample:\n  ${command.example}`);
  for (const [index, { description }] of (command.args ?? []).entries()) {
    const listed = target.registeredArguments[index];
    if (listed !== undefined) listed.description = description;
  }
  for (const spec of command.options ?? []) target.addOption(commanderOption(spec));
  addGlobalOptions(target);

  target.action(() => {
    const given = target.opts<Input['options']>();
    const names = (command.options ?? []).map(optionName);
    const options = Object.fromEntries(names.map((name) => [name, given[name]]));
    const { home, json, quiet } = target.optsWithGlobals<Partial<GlobalOptions>>();
    ask({
      command,
      input: { args: target.args, options },
      globals: {
        ...(home === undefined ? {} : { home }),
        json: json === true,
        quiet: quiet === true,
      },
    });
  });
}

/** The word in front of a two-word command, such as `trust`; alone it prints its help. */
function findOrAddGroup(
  program: CommanderCommand,
  name: string,
  group: CommandGroup,
): CommanderCommand {
  const found = program.commands.find((it) => it.name() === name);
  if (found) return found.enablePositionalOptions();
  const word = program.command(name).helpGroup(HEADINGS[group]).helpCommand(false);
  addGlobalOptions(word);
  return word;
}

function commanderOption(spec: NonNullable<Command['options']>[number]): Option {
  const option = new Option(spec.flag, spec.description).makeOptionMandatory(
    spec.required === true,
  );
  if (spec.defaultValue !== undefined) option.default(spec.defaultValue);
  if (spec.many === true) {
    option.argParser((value, before: readonly string[] | undefined) => [...(before ?? []), value]);
  }
  return option;
}
