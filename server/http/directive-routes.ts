import { Router } from 'express';

import {
  directiveRequest,
  directiveResponse,
  directivesResponse,
} from '../../protocol/api/directive.ts';
import { fromBase64, toBase64, utf8Encode } from '../../protocol/encoding/bytes.ts';
import type { DirectiveStore } from '../services/campaign/directive-store.ts';
import type { Directives } from '../services/decisions/directives.ts';
import type { Registry } from '../services/campaign/registry.ts';
import { sendJson } from './answer.ts';
import { callerOf, officersOnly, requireRole } from './auth.ts';
import { envelopeOf, envelopeOut, jsonOf, MIB, readJson } from './body.ts';
import { paramOf } from './params.ts';

/** Officers' decisions: proposed, approved, completed. */
export function directiveRoutes(deps: {
  readonly registry: Registry;
  readonly directives: Directives;
  readonly store: DirectiveStore;
  /** Distinct officers that a directive takes. */
  readonly threshold: () => number;
}): Router {
  const { registry, directives, store, threshold } = deps;
  const router = Router({ caseSensitive: true, strict: true });

  router.post('/v1/campaigns/:id/directives', officersOnly, readJson(4 * MIB), async (req, res) => {
    const { envelope, targets, attachment } = jsonOf(req, directiveRequest);
    const { acceptance, signed, campaign } = await directives.submit(
      requireRole(req, 'officer'),
      paramOf(req, 'id'),
      {
        envelope: envelopeOf(envelope),
        ...(targets !== undefined && { targets: fromBase64(targets) }),
        ...(attachment !== undefined && { attachment }),
      },
    );
    sendJson(res, directiveResponse, {
      completed: acceptance !== undefined,
      signed: [...signed],
      threshold: threshold(),
      status: campaign.state.status,
      receipt: acceptance ?? null,
    });
  });

  router.get('/v1/campaigns/:id/directives', async (req, res) => {
    const caller = callerOf(req);
    const campaign = registry.getVisible(paramOf(req, 'id'), caller);
    const isOfficer = caller?.role === 'officer';
    const completed = await store.listDirectives(campaign.state.campaign);
    const pending = isOfficer ? await directives.findPending(campaign) : undefined;
    const attachments = isOfficer ? await store.listAttachments(campaign.state.campaign) : [];
    sendJson(res, directivesResponse, {
      completed: completed.map(({ envelope, completedAt }) => ({
        envelope: envelopeOut(envelope),
        completedAt,
      })),
      pending:
        pending === undefined
          ? null
          : {
              envelope: envelopeOut(pending.envelope),
              targets: pending.targets === null ? null : toBase64(utf8Encode(pending.targets)),
            },
      attachments: [...attachments],
    });
  });

  return router;
}
