import { Router } from 'express';

import { receiptResponse } from '../../protocol/api/exchange.ts';
import { reviewRequest, reviewsResponse } from '../../protocol/api/statement.ts';
import type { Registry } from '../services/campaign/registry.ts';
import { ServiceError } from '../services/error.ts';
import type { Reviews, ReviewStore } from '../services/reviews/reviews.ts';
import { sendJson } from './answer.ts';
import { callerOf, requireRole, reviewersOnly } from './auth.ts';
import { envelopeOf, envelopeOut, jsonOf, KIB, readJson } from './body.ts';
import { paramOf } from './params.ts';

/** What firms found: from those who are asked, to officers, and to everybody once disclosed. */
export function reviewRoutes(deps: {
  readonly registry: Registry;
  readonly reviews: Reviews;
  readonly store: ReviewStore;
}): Router {
  const { registry, reviews, store } = deps;
  const router = Router({ caseSensitive: true, strict: true });

  router.post('/v1/campaigns/:id/reviews', reviewersOnly, readJson(32 * KIB), async (req, res) => {
    const envelope = envelopeOf(jsonOf(req, reviewRequest).envelope);
    const reviewer = requireRole(req, 'reviewer');
    sendJson(res, receiptResponse, await reviews.submit(reviewer, paramOf(req, 'id'), envelope));
  });

  router.get('/v1/campaigns/:id/reviews', async (req, res) => {
    const caller = callerOf(req);
    const { state } = registry.getVisible(paramOf(req, 'id'), caller);
    if (caller?.role !== 'officer' && state.status !== 'disclosed') {
      throw new ServiceError('login_refused', 'for officers until the disclosure');
    }
    const stored = await store.listReviews(state.campaign);
    sendJson(res, reviewsResponse, { reviews: stored.map(envelopeOut) });
  });

  return router;
}
