import { Router } from 'express';

import { receiptResponse } from '../../protocol/api/exchange.ts';
import { reviewRequest, reviewsResponse } from '../../protocol/api/statement.ts';
import type { DirectiveStore } from '../services/campaign/directive-store.ts';
import { plansInForce } from '../services/campaign/in-force.ts';
import type { Registry } from '../services/campaign/registry.ts';
import { ServiceError } from '../services/error.ts';
import type { Reviews, ReviewStore } from '../services/reviews/reviews.ts';
import { sendJson } from './answer.ts';
import { callerOf, requireRole, reviewersOnly } from './auth.ts';
import { envelopeOf, envelopeOut, jsonOf, KIB, readJson } from './body.ts';
import { paramOf } from './params.ts';

/** What firms found: from those who are asked, to officers, to operators once armed, then to everybody. */
export function reviewRoutes(deps: {
  readonly registry: Registry;
  readonly reviews: Reviews;
  readonly store: ReviewStore;
  readonly directives: Pick<DirectiveStore, 'listDirectives'>;
}): Router {
  const { registry, reviews, store, directives } = deps;
  const router = Router({ caseSensitive: true, strict: true });

  router.post('/v1/campaigns/:id/reviews', reviewersOnly, readJson(32 * KIB), async (req, res) => {
    const envelope = envelopeOf(jsonOf(req, reviewRequest).envelope);
    const reviewer = requireRole(req, 'reviewer');
    sendJson(res, receiptResponse, await reviews.submit(reviewer, paramOf(req, 'id'), envelope));
  });

  router.get('/v1/campaigns/:id/reviews', async (req, res) => {
    const caller = callerOf(req);
    const { state, armedAt } = registry.getVisible(paramOf(req, 'id'), caller);
    const stored = await store.listReviews(state.campaign);
    if (caller?.role === 'officer' || state.status === 'disclosed') {
      sendJson(res, reviewsResponse, {
        reviews: stored.map(({ envelope }) => envelopeOut(envelope)),
      });
      return;
    }
    if (armedAt === null) {
      throw new ServiceError('login_refused', 'for officers until the campaign is armed');
    }
    // Of a plan that may never be in force operators hear nothing.
    const inForce = await plansInForce(directives, state.campaign);
    const open = stored.filter(({ plan }) => inForce.has(plan));
    sendJson(res, reviewsResponse, { reviews: open.map(({ envelope }) => envelopeOut(envelope)) });
  });

  return router;
}
