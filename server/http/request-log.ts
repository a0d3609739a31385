import type { RequestHandler } from 'express';

import type { Logger } from '../services/logger.ts';
import { callerOf } from './auth.ts';

/** One line a request: what was asked for and how it ended. Never headers, queries or bodies. */
export function requestLog(logger: Logger): RequestHandler {
  return (req, res, next) => {
    const startedAt = performance.now();
    res.once('close', () => {
      const caller = callerOf(req);
      logger.info(
        {
          method: req.method,
          path: loggable(req.path),
          status: res.writableFinished ? res.statusCode : 'aborted',
          ms: Math.round(performance.now() - startedAt),
          ...(caller !== undefined && { caller: caller.id }),
        },
        'request',
      );
    });
    next();
  };
}

/** Paths of ours are short and plain; anything else is somebody trying to write into the log. */
function loggable(path: string): string {
  return /^[A-Za-z0-9/._-]{1,160}$/.test(path) ? path : '(odd)';
}
