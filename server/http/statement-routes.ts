import { Router } from 'express';

import { tallyResponse } from '../../protocol/api/adoption.ts';
import { receiptResponse } from '../../protocol/api/exchange.ts';
import { inboxResponse } from '../../protocol/api/operator.ts';
import { statementRequest, statementsResponse } from '../../protocol/api/statement.ts';
import type { Adoption } from '../services/adoption/adoption.ts';
import type { StatementStore } from '../services/adoption/statement-store.ts';
import type { Statements } from '../services/adoption/statements.ts';
import { tallyView } from '../services/adoption/view.ts';
import type { Inbox } from '../services/contact/inbox.ts';
import type { Registry } from '../services/campaign/registry.ts';
import { ServiceError } from '../services/error.ts';
import { sendJson } from './answer.ts';
import { callerOf, operatorsOnly, requireRole } from './auth.ts';
import { afterOf, ENVELOPE_BYTES, envelopeOf, envelopeOut, jsonOf, readJson } from './body.ts';
import { paramOf } from './params.ts';

const PAGE = 1000;

/** What operators say, and how much stake is behind it. */
export function statementRoutes(deps: {
  readonly registry: Registry;
  readonly statements: Statements;
  readonly store: StatementStore;
  readonly adoption: Adoption;
  readonly inbox: Inbox;
}): Router {
  const { registry, statements, store, adoption, inbox } = deps;
  const router = Router({ caseSensitive: true, strict: true });

  router.get('/v1/inbox', operatorsOnly, async (req, res) => {
    const operator = requireRole(req, 'operator');
    sendJson(res, inboxResponse, { campaigns: await inbox.read(operator) });
  });

  router.post(
    '/v1/campaigns/:id/statements',
    operatorsOnly,
    readJson(ENVELOPE_BYTES),
    async (req, res) => {
      const operator = requireRole(req, 'operator');
      registry.getVisible(paramOf(req, 'id'), operator);
      const envelope = envelopeOf(jsonOf(req, statementRequest).envelope);
      const answer = await statements.submit(operator, paramOf(req, 'id'), envelope);
      sendJson(res, receiptResponse, answer);
    },
  );

  router.get('/v1/campaigns/:id/statements', async (req, res) => {
    const caller = callerOf(req);
    const { state } = registry.getVisible(paramOf(req, 'id'), caller);
    if (caller?.role !== 'officer' && state.status !== 'disclosed') {
      throw new ServiceError('login_refused', 'for officers until the disclosure');
    }
    const page = await store.listStatements(state.campaign, afterOf(req), PAGE);
    sendJson(res, statementsResponse, {
      statements: page.map(({ seq, acceptedAt, envelope }) => ({
        seq,
        acceptedAt,
        envelope: envelopeOut(envelope),
      })),
    });
  });

  router.get('/v1/campaigns/:id/tally', async (req, res) => {
    const caller = callerOf(req);
    const campaign = registry.getVisible(paramOf(req, 'id'), caller);
    const isExact = caller?.role === 'officer' || campaign.state.status === 'disclosed';
    sendJson(res, tallyResponse, tallyView(campaign, await adoption.read(campaign), isExact));
  });

  return router;
}
