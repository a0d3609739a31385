import { Help, type Command } from 'commander';
import type { CommandGroup } from './command.ts';

/** Above the commands of each party. */
export const HEADINGS: Readonly<Record<CommandGroup, string>> = {
  officer: 'Officers:',
  operator: 'Operators:',
  reviewer: 'Reviewers and endorsers:',
  auditor: 'Auditors:',
  all: 'Everybody:',
};

/** Below the list of commands. */
export const EXIT_CODES = `
Exit codes:
  0 ok  1 failure  2 usage  3 not yet released  4 login needed or refused  5 temporary, retry
  6 verification failed  7 withdrawn or superseded  130 interrupted`;

/** Help as commander makes it, but for the names of two-word commands. */
export function formatHelp(command: Command, { helpWidth }: Help): string {
  const help = new WholeNamesHelp();
  if (helpWidth !== undefined) help.helpWidth = helpWidth;
  return help.formatHelp(command, help);
}

/** Help in which second words stand beside the first ones: `trust add`, not `trust`. */
class WholeNamesHelp extends Help {
  override visibleCommands(command: Command): Command[] {
    return command.commands.flatMap((it) => {
      // `witness` is a command and the first word of another; `trust` is the latter only.
      const own = it.summary() === '' ? [] : [it];
      return it.commands.length === 0 ? it : [...own, ...it.commands];
    });
  }

  override subcommandTerm(command: Command): string {
    const parent = command.parent?.parent ? `${command.parent.name()} ` : '';
    const args = command.registeredArguments.map((it) => {
      const word = it.variadic ? `${it.name()}...` : it.name();
      return it.required ? ` <${word}>` : ` [${word}]`;
    });
    return `${parent}${command.name()}${args.join('')}`;
  }
}
