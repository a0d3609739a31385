import { ProtocolError } from '../../protocol/errors.ts';
import { CliError, InterruptedError } from '../errors.ts';
import { EXIT, exitCodeOf } from '../exit-code.ts';

/**
 * Why somebody who was asked is of no help, for those who can go on without.
 *
 * @throws What is a bug of ours, or an interruption.
 */
export function reasonOf(reason: unknown): string {
  const isTrouble = reason instanceof CliError || reason instanceof ProtocolError;
  if (!isTrouble || reason instanceof InterruptedError) throw reason;
  return reason.message;
}

/** Whether officers have signed two histories: an alarm, and never somebody's trouble alone. */
export function isFork(error: unknown): error is ProtocolError {
  return error instanceof ProtocolError && error.code === 'directives_forked';
}

/** Whether the same request may work later: no network, a flood, a server that is busy. */
export function isTemporary(error: unknown): boolean {
  return exitCodeOf(error) === EXIT.temporary;
}

/** Warnings that come again with every attempt are told once. */
export function onceEach(warn: (text: string) => void): (text: string) => void {
  const told = new Set<string>();
  return (text) => {
    if (!told.has(text)) warn(text);
    told.add(text);
  };
}
