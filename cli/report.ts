import { OutputExistsError } from '../platform/files.ts';
import { ExposedSecretError } from '../platform/read-file.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { CliError, ProblemError, RefusedMoveError } from './errors.ts';
import { exitCodeOf } from './exit-code.ts';
import { printable } from './output.ts';

/** How an error is shown. */
export interface ReportOptions {
  readonly json: boolean;
  /** `SEALDROP_DEBUG=1`: with the stack. */
  readonly debug: boolean;
}

/**
 * What goes to stderr when a command fails: for a person one line of what is wrong and one of what
 * to do, for `--json` one line `{"message_type":"exit_error","code","message"}`.
 */
export function formatFailure(error: unknown, { json, debug }: ReportOptions): string {
  const { message, advice } = explain(error);
  if (json) {
    const code = exitCodeOf(error);
    const details = { reason: reasonOf(error), ...(advice === undefined ? {} : { advice }) };
    return `${JSON.stringify({ message_type: 'exit_error', code, message, ...details })}\n`;
  }
  const stack = debug && error instanceof Error ? `${error.stack ?? ''}\n` : '';
  const hint = advice === undefined ? '' : `${printable(advice)}\n`;
  return `sealdrop: ${printable(message)}\n${hint}${printable(stack)}`;
}

function explain(error: unknown): { message: string; advice: string | undefined } {
  if (error instanceof CliError) return { message: error.message, advice: error.advice };
  if (error instanceof ProtocolError) {
    return {
      message: `verification failed: ${error.message}`,
      advice: 'rely on none of it; if it happens again, tell the officers by a way you know',
    };
  }
  if (error instanceof OutputExistsError) {
    return { message: error.message, advice: 'nothing was written; name a new folder' };
  }
  if (error instanceof ExposedSecretError) {
    return { message: error.message, advice: 'if others use this machine, replace the key' };
  }
  if (isSystemError(error)) {
    if (error.code === 'ENOENT' && error.path !== undefined) {
      return { message: `${error.path} is not there`, advice: undefined };
    }
    return { message: `${error.syscall} failed: ${error.code}`, advice: error.path };
  }
  return {
    message: 'something went wrong inside sealdrop; this is a bug',
    advice: 'repeat it with SEALDROP_DEBUG=1 and report what is printed',
  };
}

/** A machine-readable cause, finer than the exit code. */
function reasonOf(error: unknown): string {
  if (error instanceof ProtocolError || error instanceof ProblemError) return error.code;
  if (error instanceof RefusedMoveError) return error.code;
  return error instanceof Error ? error.name : 'unknown';
}

function isSystemError(
  error: unknown,
): error is Error & { readonly code: string; readonly syscall: string; readonly path?: string } {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    'syscall' in error &&
    typeof error.syscall === 'string'
  );
}
