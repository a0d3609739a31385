import { Router } from 'express';

import { receiptResponse } from '../../protocol/api/exchange.ts';
import { enrolmentRequest, enrolmentsResponse } from '../../protocol/api/operator.ts';
import type { Enrolments } from '../services/enrolment/enrolment.ts';
import type { Roster } from '../services/people/roster.ts';
import { sendJson } from './answer.ts';
import { officersOnly } from './auth.ts';
import { envelopeOf, envelopeOut, jsonOf, KIB, readJson } from './body.ts';
import type { RateLimit } from './rate-limit.ts';
import { addressOf } from './rate-limit.ts';

/** Binding operators to validators; nobody is logged in before that. */
export function enrolmentRoutes(deps: {
  readonly enrolments: Enrolments;
  readonly roster: Roster;
  readonly addressLimit: RateLimit;
}): Router {
  const { enrolments, roster, addressLimit } = deps;
  const router = Router({ caseSensitive: true, strict: true });

  router.post(
    '/v1/enrolments',
    (req, _res, next) => {
      addressLimit.take(addressOf(req));
      next();
    },
    readJson(384 * KIB),
    async (req, res) => {
      const { envelope, contact } = jsonOf(req, enrolmentRequest);
      const answer = await enrolments.enrol({ envelope: envelopeOf(envelope), contact });
      sendJson(res, receiptResponse, answer);
    },
  );

  router.get('/v1/enrolments', officersOnly, (_req, res) => {
    const listed = roster.history().map(({ envelope, email, openpgp }) => ({
      envelope: envelopeOut(envelope),
      email,
      openpgp,
    }));
    sendJson(res, enrolmentsResponse, { enrolments: listed });
  });

  return router;
}
