import { basename, dirname } from 'node:path';

import type { Response } from 'express';
import { Router } from 'express';

import { hex64 } from '../../protocol/encoding/shape.ts';
import type { Blobs, StoredBlob } from '../services/campaign/blobs.ts';
import { ServiceError } from '../services/error.ts';
import { callerOf, officersOnly } from './auth.ts';
import { allowUpload } from './deadline.ts';
import { paramOf } from './params.ts';

/** Ciphertext by digest: written once by officers, fetched whole or in ranges. */
export function blobRoutes(deps: { readonly blobs: Blobs; readonly maxBlobBytes: number }): Router {
  const { blobs, maxBlobBytes } = deps;
  const router = Router({ caseSensitive: true, strict: true });

  router.put('/blobs/sha256/:sha256', officersOnly, async (req, res) => {
    const sha256 = paramOf(req, 'sha256');
    if (!hex64.safeParse(sha256).success) {
      throw new ServiceError('request_invalid', 'not a SHA-256 in lower-case hex');
    }
    const { 'content-type': type, 'content-encoding': encoding } = req.headers;
    if (type !== 'application/octet-stream' || encoding !== undefined) {
      throw new ServiceError('unsupported_media_type', 'send application/octet-stream as it is');
    }
    if (Number(req.headers['content-length'] ?? 0) > maxBlobBytes) {
      throw new ServiceError('payload_too_large', `longer than ${maxBlobBytes} bytes`);
    }
    allowUpload(req);
    await blobs.put(sha256, req);
    res.status(204).end();
  });

  router.get('/blobs/sha256/:sha256', async (req, res) => {
    const blob = await blobs.get(paramOf(req, 'sha256'), callerOf(req));
    await sendFile(res, paramOf(req, 'sha256'), blob);
  });

  return router;
}

/** The digest is a strong ETag, so that a resumed download is never spliced from two versions. */
function sendFile(res: Response, sha256: string, { path }: StoredBlob): Promise<void> {
  res.setHeader('Content-Type', 'application/octet-stream');
  res.setHeader('Cache-Control', 'private, max-age=31536000, immutable');
  res.setHeader('ETag', `"${sha256}"`);
  const options = {
    root: dirname(path),
    etag: false,
    lastModified: false,
    cacheControl: false,
    dotfiles: 'allow',
  } as const;
  return new Promise((resolve, reject) => {
    res.sendFile(basename(path), options, (error?: Error) => {
      // Once the answer has begun there is nobody left to tell.
      if (error === undefined || res.headersSent) resolve();
      else reject(error);
    });
  });
}
