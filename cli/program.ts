import { Command as CommanderCommand, CommanderError, Help, Option } from 'commander';
import { optionName, type Command, type CommandGroup, type Input } from './command.ts';
import { UsageError } from './errors.ts';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly home?: string;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** What a person asked for: a command to run, or help that has been printed already. */
export type Request =
  { readonly command: Command; readonly input: Input; readonly globals: GlobalOptions } | 'done';

const HEADINGS: Readonly<Record<CommandGroup, string>> = {
  officer: 'Officers:',
  operator: 'Operators:',
  reviewer: 'Reviewers and endorsers:',
  auditor: 'Auditors:',
  all: 'Everybody:',
};

const ABOUT =
  'Distribute a security patch under embargo: sealed, committed to in public, opened at one hour.';

const EXIT_CODES = `
Exit codes:
  0 ok  1 failure  2 usage  3 not yet released  4 login needed or refused  5 temporary, retry
  6 verification failed  7 withdrawn or superseded  130 interrupted`;

/**
 * Read a command line.
 *
 * @param argv - What was typed after the program's name.
 * @param write - Receives help and the version.
 * @throws {@link UsageError} for anything that no command takes.
 */
export async function parseCommandLine(
  commands: readonly Command[],
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
    throw usageError(error, argv, commands);
  }
  return request;
}

/** What commander says in one line, and what to do in another. */
function usageError(
  error: CommanderError,
  argv: readonly string[],
  commands: readonly Command[],
): UsageError {
  const names = commands.map(({ name }) => name);
  if (error.code === 'commander.help') {
    const word = argv.find((it) => names.some((name) => name.startsWith(`${it} `))) ?? '';
    const whole = names.filter((name) => name.startsWith(`${word} `));
    return new UsageError(`"${word}" is half a command`, `one of: ${whole.join(', ')}`);
  }
  const [message = '', hint] = error.message.replace(/^error: /, '').split('\n');
  const typed = names.find((name) => ` ${argv.join(' ')} `.includes(` ${name} `));
  const help = typed === undefined ? 'sealdrop --help' : `sealdrop ${typed} --help`;
  return new UsageError(message, hint?.replace(/^\(|\)$/g, '') ?? `see: ${help}`);
}

function buildProgram(
  commands: readonly Command[],
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
  for (const command of commands) addCommand(program, command, ask);
  return program;
}

function formatHelp(command: CommanderCommand, { helpWidth }: Help): string {
  const help = new WholeNamesHelp();
  if (helpWidth !== undefined) help.helpWidth = helpWidth;
  return help.formatHelp(command, help);
}

/** Help in which second words stand beside the first ones: `trust add`, not `trust`. */
class WholeNamesHelp extends Help {
  override visibleCommands(command: CommanderCommand): CommanderCommand[] {
    return command.commands.flatMap((it) => {
      // `witness` is a command and the first word of another; `trust` is the latter only.
      const own = it.summary() === '' ? [] : [it];
      return it.commands.length === 0 ? it : [...own, ...it.commands];
    });
  }

  override subcommandTerm(command: CommanderCommand): string {
    const parent = command.parent?.parent ? `${command.parent.name()} ` : '';
    const args = command.registeredArguments.map((it) => {
      const word = it.variadic ? `${it.name()}...` : it.name();
      return it.required ? ` <${word}>` : ` [${word}]`;
    });
    return `${parent}${command.name()}${args.join('')}`;
  }
}

function addGlobalOptions(target: CommanderCommand): void {
  target
    .optionsGroup('Everywhere:')
    .option('--home <dir>', 'keys and memory; SEALDROP_HOME, or sealdrop in the XDG config folder')
    .option('--json', 'JSON lines on stdout, the last a summary')
    .option('--quiet', 'no remarks beside the result');
}

function addCommand(
  program: CommanderCommand,
  command: Command,
  ask: (request: Request) => void,
): void {
  const [first = '', second] = command.name.split(' ');
  const parent = second === undefined ? program : findOrAddGroup(program, first, command.group);
  const target = parent
    .command(second ?? first)
    .helpGroup(HEADINGS[command.group])
    .summary(command.summary)
    .description(`${command.summary}.`)
    .addHelpText('after', `\nExample:\n  ${command.example}`);
  for (const { name, description, optional, many } of command.args ?? []) {
    const word = many ? `${name}...` : name;
    target.argument(optional ? `[${word}]` : `<${word}>`, description);
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
