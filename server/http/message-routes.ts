import { Router } from 'express';

import {
  contactsResponse,
  messagesAccepted,
  messagesRequest,
  messagesResponse,
} from '../../protocol/api/message.ts';
import { parseEd25519PublicKey } from '../../protocol/signature/ed25519.ts';
import type { Registry } from '../services/campaign/registry.ts';
import type { Messages, MessageStore } from '../services/contact/messages.ts';
import { sendJson } from './answer.ts';
import { callerOf, officersOnly } from './auth.ts';
import { jsonOf, MIB, readJson } from './body.ts';
import { paramOf } from './params.ts';

/** Mails that officers have encrypted, and who has been reached. */
export function messageRoutes(deps: {
  readonly registry: Registry;
  readonly messages: Messages;
  readonly store: MessageStore;
}): Router {
  const { registry, messages, store } = deps;
  const router = Router({ caseSensitive: true, strict: true });

  router.post('/v1/campaigns/:id/messages', officersOnly, readJson(64 * MIB), async (req, res) => {
    const body = jsonOf(req, messagesRequest);
    const campaign = registry.getVisible(paramOf(req, 'id'), callerOf(req));
    sendJson(res, messagesAccepted, await messages.queue(campaign, body.messages));
  });

  router.get('/v1/campaigns/:id/messages', officersOnly, async (req, res) => {
    const { state } = registry.getVisible(paramOf(req, 'id'), callerOf(req));
    const deliveries = await store.listDeliveries(state.campaign);
    sendJson(res, messagesResponse, {
      messages: deliveries.map((delivery) => ({
        ...delivery,
        operator: parseEd25519PublicKey(delivery.operator),
      })),
    });
  });

  router.get('/v1/campaigns/:id/contacts', officersOnly, async (req, res) => {
    const campaign = registry.getVisible(paramOf(req, 'id'), callerOf(req));
    sendJson(res, contactsResponse, { contacts: await messages.contacts(campaign) });
  });

  return router;
}
