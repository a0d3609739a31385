import { OutputExistsError } from '../platform/files.ts';
import { ProtocolError } from '../protocol/errors.ts';
import {
  InterruptedError,
  LoginError,
  NotReleasedError,
  ProblemError,
  TemporaryError,
  UsageError,
  VerificationError,
  WithdrawnError,
} from './errors.ts';

/** Documented meanings (README, "Exit codes"). Scripts must treat an unknown code as a failure. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  notReleased: 3,
  login: 4,
  temporary: 5,
  verification: 6,
  withdrawn: 7,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The exit code that tells a script what kind of failure `error` is. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof ProtocolError || error instanceof VerificationError) {
    return EXIT.verification;
  }
  if (error instanceof UsageError || error instanceof OutputExistsError) return EXIT.usage;
  if (error instanceof NotReleasedError) return EXIT.notReleased;
  if (error instanceof LoginError) return EXIT.login;
  if (error instanceof TemporaryError) return EXIT.temporary;
  if (error instanceof WithdrawnError) return EXIT.withdrawn;
  if (error instanceof InterruptedError) return EXIT.interrupted;
  if (error instanceof ProblemError) return exitCodeOfStatus(error.status);
  return EXIT.failure;
}

function exitCodeOfStatus(status: number): ExitCode {
  if (status === 425) return EXIT.notReleased;
  if (status === 401 || status === 403) return EXIT.login;
  if (status === 408 || status === 429 || status >= 500) return EXIT.temporary;
  return EXIT.failure;
}
