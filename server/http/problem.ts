import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';

import type { ProtocolErrorCode } from '../../protocol/errors.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { ServiceErrorCode } from '../services/error.ts';
import { ServiceError } from '../services/error.ts';
import { describeFailure } from '../services/failure.ts';
import type { Logger } from '../services/logger.ts';

/** The one place where an error gets its status. */
const STATUS = {
  request_invalid: 400,
  login_required: 401,
  login_refused: 403,
  not_found: 404,
  conflict: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  refused: 422,
  not_released: 425,
  too_many_requests: 429,
  unavailable: 503,
} as const satisfies Record<ServiceErrorCode, number>;

const TITLE = {
  request_invalid: 'Malformed request',
  login_required: 'Login required',
  login_refused: 'Not allowed',
  not_found: 'Not found',
  conflict: 'Conflict',
  payload_too_large: 'Too large',
  unsupported_media_type: 'Unsupported media type',
  refused: 'Refused by the protocol',
  not_released: 'Not yet released',
  too_many_requests: 'Too many requests',
  unavailable: 'Temporarily unavailable',
} as const satisfies Record<ServiceErrorCode, string>;

const HEADERS: Partial<Record<ServiceErrorCode, Readonly<Record<string, string>>>> = {
  login_required: { 'WWW-Authenticate': 'DPoP algs="EdDSA"' },
  too_many_requests: { 'Retry-After': '1' },
  unavailable: { 'Retry-After': '5' },
};

interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly code?: ProtocolErrorCode;
}

/** What no route has taken answers exactly as what a route has hidden. */
export const notFound: RequestHandler = () => {
  throw new ServiceError('not_found', 'no such resource');
};

/**
 * The one error handler: an RFC 9457 problem for the caller, a report without content for the log.
 *
 * A message of an unknown error may quote the request, so it goes neither to the caller nor to the
 * log; the places in our code where it arose do.
 */
export function problems(logger: Logger): ErrorRequestHandler {
  return (error: unknown, req, res, next) => {
    if (res.headersSent) {
      next(error);
      return;
    }
    const problem = problemOf(error);
    if (problem === undefined && req.socket.destroyed) {
      // Reading from somebody who has gone away fails in many ways, and there is nobody to tell.
      logger.info(describeFailure(error), 'request broken off');
      return;
    }
    if (problem === undefined) {
      logger.error(describeFailure(error), 'unexpected error');
      send(res, { type: 'about:blank', title: 'Internal error', status: 500 });
      return;
    }
    if (problem.status === 503) logger.error(describeFailure(error), 'unavailable');
    // The rest of a refused body is not worth reading.
    if (hasBody(req) && !req.complete) res.setHeader('Connection', 'close');
    send(res, problem);
  };
}

/** Without one Node calls a request complete only once somebody has read it to its end. */
function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function problemOf(error: unknown): Problem | undefined {
  if (error instanceof ServiceError) return problem(error.code, error.message);
  if (error instanceof ProtocolError) {
    const code = error.code === 'too_large' ? 'payload_too_large' : 'refused';
    return { ...problem(code, error.message), code: error.code };
  }
  // Express and its parsers mark their own errors with a status; their messages quote the request.
  if (error instanceof Error && 'status' in error && typeof error.status === 'number') {
    const { status } = error;
    if (status === 413) return problem('payload_too_large', 'the body is too long');
    if (status === 415) return problem('unsupported_media_type', 'this encoding is not accepted');
    if (status === 416) return { type: 'about:blank', title: 'Range not satisfiable', status };
    if (status === 404) return problem('not_found', 'no such resource');
    if (status >= 400 && status < 500) return problem('request_invalid', 'malformed request');
  }
  return undefined;
}

function problem(code: ServiceErrorCode, detail: string): Problem {
  return {
    type: `urn:sealdrop:problem:${code}`,
    title: TITLE[code],
    status: STATUS[code],
    detail,
  };
}

function send(res: Response, problem: Problem): void {
  for (const [code, headers] of Object.entries(HEADERS)) {
    if (problem.type === `urn:sealdrop:problem:${code}`) res.set(headers);
  }
  res.status(problem.status);
  res.setHeader('Content-Type', 'application/problem+json');
  res.setHeader('Cache-Control', 'no-store');
  res.end(JSON.stringify(problem));
}
