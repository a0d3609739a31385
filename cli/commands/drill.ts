import type { Command } from '../command.ts';
import type { CommandTable } from '../drill/actor.ts';

const SCENARIO = 'august-2024';
const ALL_VALIDATORS = 1584;

/**
 * The rehearsal. It runs every other command, so it is given the table of them.
 *
 * @param table - All commands, and their exit codes.
 */
export function drillCommand(table: CommandTable): Command {
  return {
    name: 'drill',
    group: 'all',
    summary: 'Rehearse a whole campaign on this machine, and leave a record to audit',
    options: [
      { flag: '--scenario <name>', description: 'what happens', defaultValue: SCENARIO },
      {
        flag: '--validators <n>',
        description: 'size of the network',
        defaultValue: String(ALL_VALIDATORS),
      },
      { flag: '--seed <text>', description: 'repeat an earlier rehearsal; random by default' },
      { flag: '--out <dir>', description: 'new folder for the record' },
      { flag: '--keep', description: 'leave the server running and print its address' },
    ],
    example: 'sealdrop drill --validators 200 --seed rehearsal --out ./record',
    // Loaded when asked for: a rehearsal's servers are of no use to any other command.
    async run(input, context) {
      const { runDrill } = await import('../drill/run.ts');
      await runDrill(input, context, table);
    },
  };
}
