import { Router } from 'express';
import type { Response } from 'express';

import { utf8Encode } from '../../protocol/encoding/bytes.ts';
import { parseTilePath } from '../../protocol/log/tile-path.ts';
import type { Tile } from '../../protocol/log/tile-path.ts';
import { isTimestampPath, TIMESTAMPS } from '../../protocol/log/timestamps.ts';
import { ServiceError } from '../services/error.ts';
import type { PublishedLog } from '../services/log/published.ts';

const TEXT = 'text/plain; charset=utf-8';
const FOR_EVER = 'public, max-age=31536000, immutable';

/**
 * The transparency log, at the paths of C2SP tlog-tiles. Public, also for scripts of other sites.
 *
 * Bodies are files, byte for byte, so nothing here negotiates, compresses or adds an ETag.
 */
export function logRoutes({ log }: { log: PublishedLog }): Router {
  const router = Router({ caseSensitive: true, strict: true });

  router.use('/log/', (_req, res, next) => {
    res.set({
      'Access-Control-Allow-Origin': '*',
      'Cross-Origin-Resource-Policy': 'cross-origin',
    });
    next();
  });

  router.get('/log/checkpoint', async (_req, res) => {
    const note = await log.checkpoint();
    if (note === undefined) throw new ServiceError('not_found', 'no such resource');
    send(res, utf8Encode(note), TEXT, 'no-cache');
  });

  // The path as it was sent: a pattern with parameters would decode `%2e` first.
  router.get(/^\/log\/tile\//, async (req, res) => {
    const tile = parsePath(req.path.slice('/log/'.length));
    const bytes = await log.tile(tile);
    if (bytes === undefined) throw new ServiceError('not_found', 'no such resource');
    send(res, bytes, 'application/octet-stream', FOR_EVER);
  });

  router.get(/^\/log\/timestamps\//, async (req, res) => {
    const path = req.path.slice('/log/'.length);
    if (!isTimestampPath(path)) throw new ServiceError('request_invalid', 'malformed path');
    const bytes = await log.timestamp(path);
    if (bytes === undefined) throw new ServiceError('not_found', 'no such resource');
    const type = path.endsWith('.tsr') ? 'application/timestamp-reply' : TEXT;
    send(res, bytes, type, path === TIMESTAMPS.index ? 'no-cache' : FOR_EVER);
  });

  return router;
}

function parsePath(path: string): Tile {
  try {
    return parseTilePath(path);
  } catch {
    throw new ServiceError('request_invalid', 'malformed tile path');
  }
}

function send(res: Response, bytes: Uint8Array, contentType: string, cacheControl: string): void {
  res.setHeader('Content-Type', contentType);
  res.setHeader('Cache-Control', cacheControl);
  res.setHeader('Content-Length', bytes.length);
  res.end(bytes);
}
