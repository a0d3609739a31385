/**
 * A failure that a person can do something about: `message` is one line saying what is wrong,
 * `advice` one line saying what to do. A bug of ours throws a plain `Error` instead.
 *
 * Neither may hold key material or embargoed content.
 */
export class CliError extends Error {
  override readonly name: string = 'CliError';
  readonly advice: string | undefined;

  constructor(message: string, advice?: string, options?: ErrorOptions) {
    super(message, options);
    this.advice = advice;
  }
}

/** The command line, or a file named on it, is not what the command takes. Exit 2. */
export class UsageError extends CliError {
  override readonly name = 'UsageError';
}

/** It is before the release time. Nothing was written. Exit 3. */
export class NotReleasedError extends CliError {
  override readonly name = 'NotReleasedError';
}

/** There is no key to log in with here. Exit 4. */
export class LoginError extends CliError {
  override readonly name = 'LoginError';
}

/** Network trouble, or somebody is busy; the same command may work later. Exit 5. */
export class TemporaryError extends CliError {
  override readonly name = 'TemporaryError';
}

/** Everything was looked at, and some of it does not hold. Exit 6. */
export class VerificationError extends CliError {
  override readonly name = 'VerificationError';
}

/** The campaign, or the revision asked for, was withdrawn or superseded. Exit 7. */
export class WithdrawnError extends CliError {
  override readonly name = 'WithdrawnError';
}

/** The person stopped it. Exit 130. */
export class InterruptedError extends CliError {
  override readonly name = 'InterruptedError';

  constructor() {
    super('interrupted');
  }
}

/** A move that the rules do not allow as things stand; nothing was signed. Exit 1. */
export class RefusedMoveError extends CliError {
  override readonly name = 'RefusedMoveError';
  /** The protocol's, such as `transition_refused`. */
  readonly code: string;

  constructor(code: string, message: string, advice?: string, options?: ErrorOptions) {
    super(message, advice, options);
    this.code = code;
  }
}

/** The server answered with a problem (RFC 9457). The exit code follows from `status`. */
export class ProblemError extends CliError {
  override readonly name = 'ProblemError';
  readonly status: number;
  /** The server's error code, such as `not_released`, or a protocol code with `refused`. */
  readonly code: string;
  /** When the server says to come back, if it says so. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, code: string, detail: string, retryAfterMs?: number) {
    super(detail, adviceFor(status));
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

function adviceFor(status: number): string | undefined {
  if (status === 401)
    return 'log in again by repeating the command; check that your clock is right';
  if (status === 403)
    return 'this needs another role: an officer in the trust root, or an operator';
  if (status === 404) return 'check the id; what you may not see answers the same way';
  if (status === 425) return 'wait for the release time and repeat the command';
  if (status === 429 || status >= 500 || status === 408) return 'repeat the command in a moment';
  return undefined;
}
