import { Router } from 'express';

import { receiptResponse } from '../../protocol/api/exchange.ts';
import {
  releaseKeyRequest,
  releaseKeyResponse,
  shareRequest,
  sharesResponse,
} from '../../protocol/api/statement.ts';
import type { Publications } from '../services/publications/publications.ts';
import type { Registry } from '../services/campaign/registry.ts';
import { sendJson } from './answer.ts';
import { callerOf, officersOnly, requireRole } from './auth.ts';
import { ENVELOPE_BYTES, envelopeOf, envelopeOut, jsonOf, readJson } from './body.ts';
import { paramOf } from './params.ts';

/** Shares and the release key: relayed from T0 on, and not a second earlier. */
export function releaseRoutes(deps: {
  readonly registry: Registry;
  readonly publications: Publications;
}): Router {
  const { registry, publications } = deps;
  const router = Router({ caseSensitive: true, strict: true });

  router.post(
    '/v1/campaigns/:id/shares',
    officersOnly,
    readJson(ENVELOPE_BYTES),
    async (req, res) => {
      const envelope = envelopeOf(jsonOf(req, shareRequest).envelope);
      const officer = requireRole(req, 'officer');
      const answer = await publications.publishShare(officer, paramOf(req, 'id'), envelope);
      sendJson(res, receiptResponse, { receipt: answer.receipt, opening: answer.opening });
    },
  );

  router.get('/v1/campaigns/:id/shares', async (req, res) => {
    const campaign = registry.getVisible(paramOf(req, 'id'), callerOf(req));
    const shares = await publications.listShares(campaign);
    sendJson(res, sharesResponse, { shares: shares.map(envelopeOut) });
  });

  router.post(
    '/v1/campaigns/:id/release-key',
    officersOnly,
    readJson(ENVELOPE_BYTES),
    async (req, res) => {
      const envelope = envelopeOf(jsonOf(req, releaseKeyRequest).envelope);
      const officer = requireRole(req, 'officer');
      const answer = await publications.publishReleaseKey(officer, paramOf(req, 'id'), envelope);
      sendJson(res, receiptResponse, { receipt: answer.receipt, opening: answer.opening });
    },
  );

  router.get('/v1/campaigns/:id/release-key', async (req, res) => {
    const campaign = registry.getVisible(paramOf(req, 'id'), callerOf(req));
    const envelope = await publications.getReleaseKey(campaign);
    sendJson(res, releaseKeyResponse, { envelope: envelopeOut(envelope) });
  });

  return router;
}
