import type { Request, RequestHandler } from 'express';

import type { Caller, Identity } from '../services/caller.ts';
import { ServiceError } from '../services/error.ts';
import type { ProofTarget } from '../services/session/proofs.ts';
import type { Sessions } from '../services/session/session.ts';
import type { RateLimit } from './rate-limit.ts';
import { addressOf } from './rate-limit.ts';

const callers = new WeakMap<Request, Identity>();

/** Who asks: a verified identity, or the public. */
export function callerOf(req: Request): Caller {
  return callers.get(req);
}

/** @throws {@link ServiceError} `login_required` or `login_refused` */
export function requireRole(req: Request, role: Identity['role']): Identity {
  const caller = callerOf(req);
  if (caller === undefined) throw new ServiceError('login_required', 'log in first');
  if (caller.role !== role) throw new ServiceError('login_refused', `this is for ${role}s`);
  return caller;
}

/** Lets only officers on, before a byte of the body is read. */
export const officersOnly: RequestHandler = (req, _res, next) => {
  requireRole(req, 'officer');
  next();
};

export const reviewersOnly: RequestHandler = (req, _res, next) => {
  requireRole(req, 'reviewer');
  next();
};

export const operatorsOnly: RequestHandler = (req, _res, next) => {
  requireRole(req, 'operator');
  next();
};

/** The public face of a request: what a proof has to be for. */
export function targetOf(req: Request, publicUrl: string): ProofTarget {
  const [path = ''] = req.originalUrl.split('?', 1);
  return { method: req.method, url: `${publicUrl}${path}` };
}

/**
 * Verify whoever says who they are. Without credentials a request goes on as the public; with
 * credentials that do not hold it goes nowhere.
 */
export function authenticate(deps: {
  readonly sessions: Sessions;
  readonly publicUrl: string;
  readonly addressLimit: RateLimit;
  readonly identityLimit: RateLimit;
}): RequestHandler {
  const { sessions, publicUrl, addressLimit, identityLimit } = deps;
  return async (req, _res, next) => {
    const { authorization, dpop } = req.headers;
    if (authorization === undefined) {
      next();
      return;
    }
    try {
      const [scheme, token, ...rest] = authorization.split(' ');
      if (scheme !== 'DPoP' || token === undefined || rest.length > 0) {
        throw new ServiceError('login_required', 'the Authorization scheme is DPoP');
      }
      if (typeof dpop !== 'string') throw new ServiceError('login_required', 'no DPoP proof');
      callers.set(req, await sessions.authenticate(token, dpop, targetOf(req, publicUrl)));
    } catch (error) {
      // Whoever has a session is not held up by neighbours who have none.
      addressLimit.take(addressOf(req));
      throw error;
    }
    identityLimit.take(callers.get(req)?.publicKey ?? '');
    next();
  };
}
