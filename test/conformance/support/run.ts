import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { sturdyFetch } from '../../../cli/client/fetch.ts';
import { runCommand } from '../../../cli/command.ts';
import { commands } from '../../../cli/commands.ts';
import { exitCodeOf } from '../../../cli/exit-code.ts';
import { parseCommandLine } from '../../../cli/program.ts';
import { testContext } from '../../cli/support/context.ts';

/** How a command ended, as whoever typed it sees it. */
export interface Outcome {
  readonly code: number;
  /** What it said on stderr, the reason of a failure included. */
  readonly said: string;
}

export interface Surroundings {
  readonly home: string;
  /** Unix ms. A process of its own has only the machine's clock. */
  readonly now: number;
}

/**
 * `SEALDROP_CONFORMANCE=process` runs every command as `node cli/main.ts …`. By default the same
 * words go through the same parser and the same commands in this process, which takes a tenth of
 * the time.
 */
export const asProcess = process.env['SEALDROP_CONFORMANCE'] === 'process';

/** The one place through which the suite runs the CLI. */
export function runCli(words: readonly string[], surroundings: Surroundings): Promise<Outcome> {
  return asProcess ? spawnCli(words, surroundings) : runHere(words, surroundings);
}

const MAIN = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url));

async function spawnCli(words: readonly string[], { home }: Surroundings): Promise<Outcome> {
  const child = spawn(process.execPath, [MAIN, ...words, '--home', home], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? -1, said };
}

async function runHere(words: readonly string[], { home, now }: Surroundings): Promise<Outcome> {
  await using context = await testContext({
    home,
    now: () => now,
    json: true,
    fetch: sturdyFetch,
  });
  try {
    const request = await parseCommandLine(commands, words, 'test', () => undefined);
    if (request === 'done') throw new Error(`${words.join(' ')} is no command`);
    await runCommand(request.command, request.input, context);
    return { code: 0, said: context.said.stderr };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { code: exitCodeOf(error), said: `${context.said.stderr}${message}` };
  }
}
