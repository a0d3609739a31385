import { Router } from 'express';

import {
  publishRootRequest,
  publishRootResponse,
  rootsResponse,
} from '../../protocol/api/trust.ts';
import { fromBase64 } from '../../protocol/encoding/bytes.ts';
import { ServiceError } from '../services/error.ts';
import type { RootStore, Rotation } from '../services/trust/rotation.ts';
import type { Trust } from '../services/trust/trust.ts';
import type { TufFiles } from '../services/trust/tuf.ts';
import { IMMUTABLE, sendBytes, sendJson } from './answer.ts';
import { callerOf } from './auth.ts';
import { jsonOf, MIB, readJson } from './body.ts';
import { paramOf } from './params.ts';
import type { RateLimit } from './rate-limit.ts';
import { addressOf } from './rate-limit.ts';

const ROOT = /^([1-9]\d{0,8})\.root\.json$/;
const OTHER = /^(?:timestamp|[1-9]\d{0,8}\.(?:snapshot|targets))\.json$/;
const JSON_TYPE = 'application/json';

/** TUF metadata: roots for everybody, what leads to a ciphertext for those who are enrolled. */
export function trustRoutes(deps: {
  readonly trust: Trust;
  readonly tuf: TufFiles;
  readonly rotation: Rotation;
  /** Renew what is no longer fresh enough. */
  readonly freshen: () => Promise<void>;
  readonly store: Pick<RootStore, 'listRoots'>;
  readonly addressLimit: RateLimit;
  readonly logSize: () => number;
}): Router {
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
    const caller = callerOf(req);
    if (caller === undefined) throw new ServiceError('login_required', 'log in first');
    // It lists the ciphertexts of every campaign.
    if (caller.role === 'reviewer') {
      throw new ServiceError('login_refused', 'this is for officers and operators');
    }
    // By the clock and not by a timer: what is handed out is fresh at that moment.
    if (name === 'timestamp.json') await deps.freshen();
    const bytes = OTHER.test(name) ? await deps.tuf.read(name) : undefined;
    if (bytes === undefined) throw new ServiceError('not_found', 'no such resource');
    sendBytes(res, bytes, JSON_TYPE, name === 'timestamp.json' ? 'no-store' : 'private');
  });

  router.get('/v1/trust/roots', async (_req, res) => {
    sendJson(res, rootsResponse, { roots: [...(await deps.store.listRoots(deps.logSize()))] });
  });

  // Without a login: a root speaks for itself, also when every officer's everyday key is lost.
  router.post(
    '/v1/trust/roots',
    (req, _res, next) => {
      deps.addressLimit.take(addressOf(req));
      next();
    },
    readJson(2 * MIB),
    async (req, res) => {
      const { root, targets } = jsonOf(req, publishRootRequest);
      const published = await deps.rotation.publish(fromBase64(root), fromBase64(targets));
      sendJson(res, publishRootResponse, published);
    },
  );

  return router;
}
