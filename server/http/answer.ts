import type { Response } from 'express';
import type { z } from 'zod';

/** Answer with JSON that has exactly the shape both sides have agreed on. */
export function sendJson<T>(res: Response, _schema: z.ZodType<unknown, T>, value: T): void {
  res.setHeader('Content-Type', 'application/json');
  res.setHeader('Cache-Control', 'no-store');
  res.end(JSON.stringify(value));
}

/** Answer with bytes as they are. */
export function sendBytes(
  res: Response,
  bytes: Uint8Array,
  contentType: string,
  cacheControl = 'no-store',
): void {
  res.setHeader('Content-Type', contentType);
  res.setHeader('Cache-Control', cacheControl);
  res.setHeader('Content-Length', bytes.length);
  res.end(bytes);
}

/** For what is named by its own digest. */
export const IMMUTABLE = 'public, max-age=31536000, immutable';

export const TEXT = 'text/plain; charset=utf-8';
