import { Router } from 'express';

import { receiptResponse } from '../../protocol/api/exchange.ts';
import { endorsementRequest, endorsementsResponse } from '../../protocol/api/statement.ts';
import type { Endorsements } from '../services/endorsements/endorsements.ts';
import { sendJson } from './answer.ts';
import { envelopeOf, envelopeOut, jsonOf, KIB, readJson } from './body.ts';
import { paramOf } from './params.ts';
import type { RateLimit } from './rate-limit.ts';
import { addressOf } from './rate-limit.ts';

/** Who repeats a commitment in public, and where: public as the commitment is. */
export function endorsementRoutes(deps: {
  readonly endorsements: Endorsements;
  readonly addressLimit: RateLimit;
}): Router {
  const { endorsements, addressLimit } = deps;
  const router = Router({ caseSensitive: true, strict: true });

  router.get('/v1/commitments/:sha256/endorsements', async (req, res) => {
    const stored = await endorsements.list(paramOf(req, 'sha256'));
    sendJson(res, endorsementsResponse, { endorsements: stored.map(envelopeOut) });
  });

  router.post(
    '/v1/commitments/:sha256/endorsements',
    (req, _res, next) => {
      addressLimit.take(addressOf(req));
      next();
    },
    readJson(32 * KIB),
    async (req, res) => {
      const envelope = envelopeOf(jsonOf(req, endorsementRequest).envelope);
      sendJson(res, receiptResponse, await endorsements.submit(paramOf(req, 'sha256'), envelope));
    },
  );

  return router;
}
