import { z } from 'zod';
import { CAMPAIGN_STATUSES } from '../campaign/transitions.ts';
import {
  base64,
  campaignId,
  hex64,
  instant,
  networkId,
  personId,
  safeCount,
  time,
} from '../encoding/shape.ts';
import { keyName } from '../plan/key-name.ts';

export const createCampaignRequest = z.strictObject({
  /** Exact bytes of plan.txt. */
  plan: base64,
  /** Each officer's share documents, each an age file to that officer. */
  custody: z
    .array(z.strictObject({ key: keyName, officer: personId, sealed: base64 }))
    .min(1)
    .max(192),
});
export const createCampaignResponse = z.strictObject({ campaign: campaignId, plan: hex64 });

/** What a caller who may see a campaign is told of it. Titles and counts are never part of it. */
export const campaignView = z.strictObject({
  campaign: campaignId,
  network: networkId,
  exercise: z.boolean(),
  status: z.enum(CAMPAIGN_STATUSES),
  revision: safeCount,
  sequence: safeCount,
  /** SHA-256 of plan.txt. */
  plan: hex64,
  /** SHA-256 of COMMITMENT. */
  commitment: hex64,
  /** T0 as the latest completed directive has it. */
  releaseTime: time,
  latestDisclosure: time,
  releasedAt: instant.nullable(),
  supermajorityAt: instant.nullable(),
  disclosedAt: instant.nullable(),
  /** True once the documents have been opened and checked against the commitment. */
  opened: z.boolean(),
  /** Holders whose release share is out, and how many it takes. */
  shares: z.strictObject({
    published: z.array(personId),
    threshold: z.int().positive(),
    /** How many of them the server holds. */
    server: z.int().nonnegative(),
  }),
  /** The same of the second split; `broken` by `leaked`, and `threshold` null when there is none. */
  breakGlass: z.strictObject({
    state: z.enum(['none', 'sealed', 'broken']),
    published: z.array(personId),
    threshold: z.int().positive().nullable(),
  }),
});
export const campaignsResponse = z.strictObject({ campaigns: z.array(campaignView) });

export const custodyResponse = z.strictObject({
  custody: z.array(z.strictObject({ key: keyName, officer: personId, sealed: base64 })),
});

/** Answers a posted snapshot, whose body is the canonical file itself. */
export const snapshotResponse = z.strictObject({ sha256: hex64 });

export const eventsResponse = z.strictObject({
  events: z.array(
    z.strictObject({
      seq: safeCount,
      at: instant,
      type: z.enum([
        'created',
        'committed',
        'notified',
        'armed',
        'rescheduled',
        'share',
        'released',
        'milestone',
        'adopted',
        'superseded',
        'withdrawn',
        'aborted',
        'leaked',
        'disclosed',
        'opened',
      ]),
      detail: z.string().max(256),
    }),
  ),
});
