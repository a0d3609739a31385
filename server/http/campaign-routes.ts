import type { Request } from 'express';
import { Router } from 'express';

import {
  campaignsResponse,
  campaignView,
  createCampaignRequest,
  createCampaignResponse,
  custodyResponse,
  eventsResponse,
  snapshotResponse,
} from '../../protocol/api/campaign.ts';
import { fromBase64, toBase64 } from '../../protocol/encoding/bytes.ts';
import { requireAgeFile } from '../services/age-file.ts';
import type { Caller } from '../services/caller.ts';
import type { Campaign } from '../services/campaign/campaign.ts';
import { planOf, storedPlanOf, viewOf } from '../services/campaign/campaign.ts';
import type { Creation } from '../services/decisions/create.ts';
import type { DirectiveStore } from '../services/campaign/directive-store.ts';
import { plansInForce } from '../services/campaign/in-force.ts';
import type { EventStore } from '../services/campaign/events.ts';
import type { CustodyShare, Registry } from '../services/campaign/registry.ts';
import { ServiceError } from '../services/error.ts';
import type { Snapshots } from '../services/snapshots.ts';
import { IMMUTABLE, sendBytes, sendJson, TEXT } from './answer.ts';
import { callerOf, officersOnly, requireRole } from './auth.ts';
import { afterOf, bytesOf, jsonOf, MIB, readBytes, readJson } from './body.ts';
import { paramOf } from './params.ts';

const PAGE = 1000;
const BINARY = 'application/octet-stream';

/** A campaign and its plan. One that the caller may not see answers as one that does not exist. */
export function campaignRoutes(deps: {
  readonly registry: Registry;
  readonly create: (plan: Uint8Array, custody: readonly CustodyShare[]) => Promise<Creation>;
  readonly store: DirectiveStore;
  readonly events: EventStore;
  readonly snapshots: Snapshots;
}): Router {
  const { registry, store, events, snapshots } = deps;
  const router = Router({ caseSensitive: true, strict: true });

  /**
   * The plan in force; with `?plan=<digest>` another that was, and for officers any that has been
   * uploaded.
   */
  const getPlan = async (req: Request): Promise<{ campaign: Campaign; digest: string }> => {
    const caller = callerOf(req);
    const campaign = requirePlanAccess(registry.getVisible(paramOf(req, 'id'), caller), caller);
    const { plan } = req.query;
    const { campaign: id, plan: inForce } = campaign.state;
    if (plan === undefined || plan === inForce) return { campaign, digest: inForce };
    const isOpen =
      typeof plan === 'string' &&
      campaign.plans.has(plan) &&
      (caller?.role === 'officer' || (await plansInForce(store, id)).has(plan));
    if (isOpen) return { campaign, digest: plan };
    throw new ServiceError('not_found', 'no such resource');
  };

  router.post('/v1/campaigns', officersOnly, readJson(8 * MIB), async (req, res) => {
    const { plan, custody } = jsonOf(req, createCampaignRequest);
    sendJson(res, createCampaignResponse, await deps.create(fromBase64(plan), custody));
  });

  router.get('/v1/campaigns', officersOnly, (_req, res) => {
    sendJson(res, campaignsResponse, { campaigns: registry.all().map(viewOf) });
  });

  router.get('/v1/campaigns/:id', (req, res) => {
    sendJson(res, campaignView, viewOf(registry.getVisible(paramOf(req, 'id'), callerOf(req))));
  });

  router.get('/v1/campaigns/:id/plan', async (req, res) => {
    const { campaign, digest } = await getPlan(req);
    sendBytes(res, storedPlanOf(campaign, digest).bytes, TEXT);
  });

  router.get('/v1/campaigns/:id/snapshot', async (req, res) => {
    const campaign = registry.getVisible(paramOf(req, 'id'), callerOf(req));
    const bytes = await snapshots.getBytes(planOf(campaign).snapshot.sha256);
    sendBytes(res, bytes, TEXT);
  });

  router.get('/v1/campaigns/:id/custody', officersOnly, async (req, res) => {
    const officer = requireRole(req, 'officer');
    const custody = await store.listCustody((await getPlan(req)).digest, officer.id);
    sendJson(res, custodyResponse, { custody: [...custody] });
  });

  router.put(
    '/v1/campaigns/:id/signatures',
    officersOnly,
    readBytes(BINARY, 8 * MIB),
    async (req, res) => {
      const bytes = bytesOf(req);
      requireAgeFile(bytes, 'the signatures');
      const { digest } = await getPlan(req);
      await registry.exclusively(paramOf(req, 'id'), async (campaign) => {
        if (campaign === undefined) throw new ServiceError('not_found', 'no such resource');
        await saveSignatures(store, campaign, digest, toBase64(bytes));
      });
      res.status(204).end();
    },
  );

  router.get('/v1/campaigns/:id/signatures', async (req, res) => {
    const sealed = await store.findSignatures((await getPlan(req)).digest);
    if (sealed === undefined) throw new ServiceError('not_found', 'no such resource');
    sendBytes(res, fromBase64(sealed), BINARY);
  });

  router.get('/v1/campaigns/:id/events', async (req, res) => {
    const { state } = registry.getVisible(paramOf(req, 'id'), callerOf(req));
    const page = await events.listEvents(state.campaign, afterOf(req), PAGE);
    sendJson(res, eventsResponse, { events: [...page] });
  });

  return router;
}

/** The stake snapshots: public, and officers add to them. */
export function snapshotRoutes({ snapshots }: { readonly snapshots: Snapshots }): Router {
  const router = Router({ caseSensitive: true, strict: true });

  router.post(
    '/v1/snapshots',
    officersOnly,
    readBytes('text/plain', 32 * MIB),
    async (req, res) => {
      sendJson(res, snapshotResponse, await snapshots.post(bytesOf(req)));
    },
  );

  router.get('/v1/snapshots/:sha256', async (req, res) => {
    sendBytes(res, await snapshots.getBytes(paramOf(req, 'sha256')), TEXT, IMMUTABLE);
  });

  return router;
}

/** Officers always, operators once it is armed, everybody once it is disclosed. */
function requirePlanAccess(campaign: Campaign, caller: Caller): Campaign {
  const isOpen =
    caller?.role === 'officer' ||
    campaign.armedAt !== null ||
    campaign.state.status === 'disclosed';
  if (isOpen) return campaign;
  throw new ServiceError('not_released', 'the plan is handed out once the campaign is armed');
}

/** From `arm` on they are what operators prefetch, and stay as they are once they are there. */
async function saveSignatures(
  store: DirectiveStore,
  { state }: Campaign,
  plan: string,
  sealed: string,
): Promise<void> {
  const stored = await store.findSignatures(plan);
  if (stored === sealed) return;
  const isFinal = state.status !== 'committed' && state.status !== 'notified';
  if (isFinal && plan === state.plan && stored !== undefined) {
    throw new ServiceError('conflict', `no new signatures while ${state.status}`);
  }
  await store.saveSignatures(plan, sealed);
}
