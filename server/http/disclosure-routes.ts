import type { Request } from 'express';
import { Router } from 'express';

import {
  closingKeyResponse,
  commitmentsResponse,
  commitmentView,
  openingsResponse,
} from '../../protocol/api/disclosure.ts';
import type { Campaign } from '../services/campaign/campaign.ts';
import type { Registry } from '../services/campaign/registry.ts';
import type { CommitmentStore, DisclosureStore } from '../services/disclosure/published.ts';
import { ServiceError } from '../services/error.ts';
import { sendBytes, sendJson, TEXT } from './answer.ts';
import { callerOf } from './auth.ts';
import { afterOf } from './body.ts';
import { paramOf } from './params.ts';

const PAGE = 500;

/** What was promised, and what was disclosed in the end. */
export function disclosureRoutes(deps: {
  readonly registry: Registry;
  readonly disclosures: DisclosureStore;
  readonly commitments: CommitmentStore;
  /** Leaves under the published checkpoint. */
  readonly logSize: () => number;
}): Router {
  const { registry, disclosures, commitments, logSize } = deps;
  const router = Router({ caseSensitive: true, strict: true });

  /** Documents that were opened and checked; before that nobody gets an answer. */
  const getOpened = (req: Request): Campaign & { closingKey: string } => {
    const campaign = registry.getVisible(paramOf(req, 'id'), callerOf(req));
    const { closingKey } = campaign;
    if (closingKey === null) throw new ServiceError('not_released', 'not disclosed yet');
    return { ...campaign, closingKey };
  };

  router.get('/v1/commitments', async (_req, res) => {
    const listed = await commitments.listCommitments(logSize());
    sendJson(res, commitmentsResponse, { commitments: [...listed] });
  });

  router.get('/v1/commitments/:sha256', async (req, res) => {
    const listed = await commitments.listCommitments(logSize());
    const found = listed.find(({ sha256 }) => sha256 === paramOf(req, 'sha256'));
    if (found === undefined) throw new ServiceError('not_found', 'no such resource');
    sendJson(res, commitmentView, found);
  });

  router.get('/v1/campaigns/:id/documents/:name', async (req, res) => {
    const { state } = getOpened(req);
    const document = await disclosures.findDocument(state.campaign, paramOf(req, 'name'));
    if (document === undefined) throw new ServiceError('not_found', 'no such resource');
    sendBytes(res, document, TEXT);
  });

  router.get('/v1/campaigns/:id/closing-key', (req, res) => {
    sendJson(res, closingKeyResponse, { key: getOpened(req).closingKey });
  });

  router.get('/v1/campaigns/:id/openings', async (req, res) => {
    const { state } = getOpened(req);
    const openings = await disclosures.listOpenings(state.campaign, afterOf(req, -1), PAGE);
    sendJson(res, openingsResponse, { openings: [...openings] });
  });

  return router;
}
