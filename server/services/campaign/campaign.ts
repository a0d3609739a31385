import type { z } from 'zod';

import type { campaignView, eventsResponse } from '../../../protocol/api/campaign.ts';
import type { CampaignState } from '../../../protocol/campaign/campaign.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { serverHoldersOf } from '../../../protocol/plan/server-custody.ts';

export type EventType = z.infer<typeof eventsResponse>['events'][number]['type'];
export type CampaignView = z.infer<typeof campaignView>;

/** A stored plan and its exact bytes. */
export interface StoredPlan {
  readonly plan: Plan;
  readonly bytes: Uint8Array;
}

/** A campaign as its rows have it, in memory. Replaced as a whole after each commit, never changed. */
export interface Campaign {
  readonly state: CampaignState;
  /** Every plan proposed for it, by digest. */
  readonly plans: ReadonlyMap<string, StoredPlan>;
  /** How many events it has. */
  readonly events: number;
  /** Officers whose share of the release key in force is out, sorted. */
  readonly releaseShares: readonly string[];
  /** Same for the closing key. */
  readonly closingShares: readonly string[];
  /** Same for the second split of the release key. */
  readonly breakGlassShares: readonly string[];
  readonly createdAt: string;
  /** When it was armed first. From then on every operator may see it. */
  readonly armedAt: string | null;
  /** When enough shares were out. */
  readonly releasedAt: string | null;
  readonly supermajorityAt: string | null;
  readonly disclosedAt: string | null;
  /** When the documents had been opened and checked. */
  readonly openedAt: string | null;
  /** The closing key, once opened. */
  readonly closingKey: string | null;
}

/** The plan in force. */
export function planOf(campaign: Campaign): Plan {
  return storedPlanOf(campaign).plan;
}

/** @param digest - Of a plan that is known to be stored; the one in force by default. */
export function storedPlanOf({ state, plans }: Campaign, digest = state.plan): StoredPlan {
  const stored = plans.get(digest);
  if (stored === undefined) throw new Error('a plan is not among the stored ones');
  return stored;
}

/** What whoever may see a campaign is told of it. */
export function viewOf(campaign: Campaign): CampaignView {
  const { state, releasedAt, supermajorityAt, disclosedAt, openedAt } = campaign;
  const plan = planOf(campaign);
  return {
    campaign: state.campaign,
    network: state.network,
    exercise: state.exercise,
    status: state.status,
    revision: state.revision,
    sequence: state.sequence,
    plan: state.plan,
    commitment: plan.commitment,
    releaseTime: state.releaseTime,
    latestDisclosure: state.latestDisclosure,
    releasedAt,
    supermajorityAt,
    disclosedAt,
    opened: openedAt !== null,
    shares: {
      published: [...campaign.releaseShares],
      threshold: plan.shareThreshold,
      server: serverHoldersOf(plan).length,
    },
    breakGlass: {
      state: state.breakGlass,
      published: [...campaign.breakGlassShares],
      threshold: plan.breakGlassThreshold ?? null,
    },
  };
}
