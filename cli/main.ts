import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { commands } from './commands.ts';
import { runCommand, type Context } from './command.ts';
import { machineContext } from './context.ts';
import { InterruptedError } from './errors.ts';
import { EXIT, exitCodeOf, type ExitCode } from './exit-code.ts';
import { createOutput, type Output } from './output.ts';
import { parseCommandLine, type GlobalOptions } from './program.ts';
import { formatFailure } from './report.ts';

// The only file that touches the process: arguments, environment, streams, signals, exit code.

const { env, argv, stdin, stdout, stderr } = process;

function homeDirectory(globals: GlobalOptions): string {
  const config = env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config');
  return resolve(globals.home ?? env['SEALDROP_HOME'] ?? join(config, 'sealdrop'));
}

/** Aborts on the first signal, so that commands can clean up; a second one ends at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort(new InterruptedError());
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  return controller.signal;
}

function contextFor(globals: GlobalOptions, signal: AbortSignal): Context {
  const out: Output = createOutput({
    json: globals.json,
    quiet: globals.quiet,
    interactive: stderr.isTTY && env['TERM'] !== 'dumb' && !env['NO_COLOR'],
    stdout: (text) => stdout.write(text),
    stderr: (text) => stderr.write(text),
  });
  return {
    ...machineContext(env, signal),
    home: homeDirectory(globals),
    out,
    ...(stdin.isTTY && stderr.isTTY && { ask: (question) => askPerson(question, signal) }),
  };
}

async function askPerson(question: string, signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: stdin, output: stderr });
  try {
    return await lines.question(question, { signal });
  } catch {
    throw new InterruptedError();
  } finally {
    lines.close();
  }
}

function version(): string {
  // Beside the sources one folder up, beside the compiled files two.
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const text = readFileSync(new URL(path, import.meta.url), 'utf8');
      return (JSON.parse(text) as { version: string }).version;
    } catch {
      continue;
    }
  }
  return 'unknown';
}

async function main(): Promise<ExitCode> {
  const words = argv.slice(2);
  // Known before parsing, so that a mistake in the command line is reported as asked for.
  const json = words.includes('--json');
  const signal = interruption();
  try {
    const print = (text: string): void => void stdout.write(text);
    const shown = words.length === 0 ? ['--help'] : words;
    const request = await parseCommandLine(commands, shown, version(), print);
    if (request === 'done') return EXIT.ok;
    await runCommand(request.command, request.input, contextFor(request.globals, signal));
    return EXIT.ok;
  } catch (error) {
    const failure = signal.aborted ? new InterruptedError() : error;
    stderr.write(formatFailure(failure, { json, debug: env['SEALDROP_DEBUG'] === '1' }));
    return exitCodeOf(failure);
  }
}

// A reader such as `head` may close the pipe early; that is no failure of ours.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});
// Not process.exit: what was written to a pipe has to drain first.
process.exitCode = await main();
