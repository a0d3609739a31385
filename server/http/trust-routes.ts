import { Router } from 'express';

import { ServiceError } from '../services/error.ts';
import type { Trust } from '../services/trust/trust.ts';
import type { TufFiles } from '../services/trust/tuf.ts';
import { IMMUTABLE, sendBytes } from './answer.ts';
import { callerOf } from './auth.ts';
import { paramOf } from './params.ts';

const ROOT = /^([1-9]\d{0,8})\.root\.json$/;
const OTHER = /^(?:timestamp|[1-9]\d{0,8}\.(?:snapshot|targets))\.json$/;
const JSON_TYPE = 'application/json';

/** TUF metadata: roots for everybody, what leads to a ciphertext for those who are enrolled. */
export function trustRoutes(deps: { readonly trust: Trust; readonly tuf: TufFiles }): Router {
  const router = Router({ caseSensitive: true, strict: true });

  router.get('/tuf/:name', async (req, res) => {
    const name = paramOf(req, 'name');
    const version = ROOT.exec(name)?.[1];
    if (version !== undefined) {
      const root = deps.trust.roots.get(Number(version));
      if (root === undefined) throw new ServiceError('not_found', 'no such resource');
      sendBytes(res, root.bytes, JSON_TYPE, IMMUTABLE);
      return;
    }
    if (callerOf(req) === undefined) throw new ServiceError('login_required', 'log in first');
    const bytes = OTHER.test(name) ? await deps.tuf.read(name) : undefined;
    if (bytes === undefined) throw new ServiceError('not_found', 'no such resource');
    sendBytes(res, bytes, JSON_TYPE, name === 'timestamp.json' ? 'no-store' : 'private');
  });

  return router;
}
