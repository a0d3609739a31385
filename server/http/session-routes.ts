import { Router } from 'express';

import {
  challengeRequest,
  challengeResponse,
  tokenRequest,
  tokenResponse,
} from '../../protocol/api/session.ts';
import { ServiceError } from '../services/error.ts';
import type { Sessions } from '../services/session/session.ts';
import { sendJson } from './answer.ts';
import { targetOf } from './auth.ts';
import { jsonOf, KIB, readJson } from './body.ts';
import type { RateLimit } from './rate-limit.ts';
import { addressOf } from './rate-limit.ts';

/** Logging in: a challenge, then a token for whoever proves to hold a known key. */
export function sessionRoutes(deps: {
  readonly sessions: Sessions;
  readonly publicUrl: string;
  readonly addressLimit: RateLimit;
}): Router {
  const { sessions, publicUrl, addressLimit } = deps;
  const router = Router({ caseSensitive: true, strict: true });

  router.use('/v1/auth/', (req, _res, next) => {
    addressLimit.take(addressOf(req));
    next();
  });

  router.post('/v1/auth/challenge', readJson(4 * KIB), (req, res) => {
    const { publicKey } = jsonOf(req, challengeRequest);
    sendJson(res, challengeResponse, sessions.challenge(publicKey));
  });

  router.post('/v1/auth/token', readJson(4 * KIB), async (req, res) => {
    const { publicKey } = jsonOf(req, tokenRequest);
    const { dpop } = req.headers;
    if (typeof dpop !== 'string') throw new ServiceError('login_required', 'no DPoP proof');
    const login = await sessions.login(publicKey, dpop, targetOf(req, publicUrl));
    sendJson(res, tokenResponse, {
      access_token: login.token,
      token_type: 'DPoP',
      expires_in: login.expiresIn,
      role: login.identity.role,
      id: login.identity.id,
    });
  });

  return router;
}
