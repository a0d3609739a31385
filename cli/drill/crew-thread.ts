import { parentPort, workerData } from 'node:worker_threads';
import type { Context } from '../command.ts';
import { commandTable } from '../commands.ts';
import { machineContext } from '../context.ts';
import { createOutput } from '../output.ts';
import { CommandFailed, inProcessActor } from './actor.ts';
import type { Order, Report } from './crew.ts';

// Runs the orders of a rehearsal's crew, many at a time, until it is terminated.

const { env } = workerData as { readonly env: Context['env'] };
const silent = createOutput({
  json: true,
  quiet: true,
  interactive: false,
  stdout: () => undefined,
  stderr: () => undefined,
});
const context = { ...machineContext(env, new AbortController().signal), out: silent };

parentPort?.on('message', (order: Order) => {
  void carryOut(order).then((report) => {
    parentPort?.postMessage(report);
  });
});

async function carryOut({ id, name, home, command, args, options }: Order): Promise<Report> {
  const actor = inProcessActor(name, home, { ...context, home }, commandTable);
  try {
    return { id, summary: await actor.run(command, args, options) };
  } catch (error) {
    const code = error instanceof CommandFailed ? error.code : 1;
    const message = error instanceof CommandFailed ? error.reason : String(error);
    return { id, failure: { code, message } };
  }
}
