import type { Context } from '../command.ts';
import { CliError, UsageError } from '../errors.ts';

/** Nobody signs by pressing return: the action has to be typed. */
export async function confirm(context: Context, action: string, id: string): Promise<void> {
  if (context.ask === undefined) {
    throw new UsageError('without a terminal nobody can be asked', 'give --yes to sign');
  }
  const answer = await context.ask(`Type "${action}" to sign it for ${id}: `);
  if (answer.trim() !== action) throw new CliError('not signed', 'nothing was changed');
}
