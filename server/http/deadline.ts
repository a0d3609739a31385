import type { Request, RequestHandler } from 'express';

const timers = new WeakMap<Request, NodeJS.Timeout>();

/**
 * Cut a connection whose request has not arrived as a whole within `bodyMs`.
 *
 * Node's own `requestTimeout` knows one limit for all requests; uploads of officers need longer.
 */
export function bodyDeadline(bodyMs: number): RequestHandler {
  return (req, res, next) => {
    const timer = setTimeout(() => {
      if (!req.complete) req.socket.destroy();
    }, bodyMs);
    timers.set(req, timer);
    const clear = (): void => {
      clearTimeout(timer);
    };
    req.once('end', clear);
    res.once('close', clear);
    next();
  };
}

/** Let this request take its time; a connection on which nothing moves is still cut (`server.ts`). */
export function allowUpload(req: Request): void {
  clearTimeout(timers.get(req));
}
