import { parsePlan } from '../../../protocol/plan/plan.ts';
import type { KeyName } from '../../../protocol/plan/key-name.ts';
import type { Caller } from '../caller.ts';
import { ServiceError } from '../error.ts';
import type { Logger } from '../logger.ts';
import type { Serial } from '../serial.ts';
import type { Campaign } from './campaign.ts';
import type { CampaignChange, CampaignEvent } from './change.ts';
import { openVisibility } from './visibility.ts';

/** A sealed share that waits for its officer. */
export interface CustodyShare {
  readonly key: KeyName;
  readonly officer: string;
  /** Base64 of an age file. */
  readonly sealed: string;
}

/** A plan on its way into the database, with the shares that belong to it. */
export interface NewPlan {
  readonly digest: string;
  readonly campaign: string;
  readonly revision: number;
  readonly bytes: Uint8Array;
  readonly custody: readonly CustodyShare[];
}

export interface CampaignStore {
  listCampaigns(): Promise<readonly Campaign[]>;
  createCampaign(campaign: Campaign, plan: NewPlan, event: CampaignEvent): Promise<void>;
  addPlan(plan: NewPlan): Promise<void>;
  /** @throws {@link ServiceError} `conflict` when the campaign is no longer as `before`. */
  applyChange(change: CampaignChange): Promise<void>;
}

/**
 * Every campaign, in memory, and the one way to change one.
 *
 * Reading decides nothing on stale rows: changes of a campaign are made one after the other, and
 * each sees the outcome of the one before.
 */
export interface Registry {
  all(): readonly Campaign[];
  listVisible(caller: Caller): readonly Campaign[];
  find(id: string): Campaign | undefined;
  /**
   * The campaign, if the caller may see it. A hidden one and an unknown one answer alike.
   *
   * @throws {@link ServiceError} `not_found`
   */
  getVisible(id: string, caller: Caller): Campaign;
  /**
   * The campaign, if one of its plans asks this firm for a review.
   *
   * @throws {@link ServiceError} `not_found`, alike for one that does not exist.
   */
  getToReview(id: string, firm: string): Campaign;
  /** Remember that an operator has been written to about a campaign, and may see it. */
  addRecipient(id: string, operator: string): void;
  /** Whether any operator has been written to about a campaign. */
  hasRecipients(id: string): boolean;
  add(campaign: Campaign, plan: NewPlan, event: CampaignEvent): Promise<void>;
  /** Add a plan to a campaign that is there. */
  addPlan(campaign: Campaign, plan: NewPlan): Promise<void>;
  /** Run `task` when no other change of this campaign is under way. */
  exclusively<T>(id: string, task: (current: Campaign | undefined) => Promise<T>): Promise<T>;
  /** Make a change durable, then visible. Only inside {@link exclusively}. */
  apply(change: CampaignChange): Promise<Campaign>;
}

export async function openRegistry(deps: {
  readonly store: CampaignStore;
  /** Operators with a message, by campaign. */
  readonly recipients: ReadonlyMap<string, ReadonlySet<string>>;
  readonly serial: Serial;
  readonly logger: Logger;
}): Promise<Registry> {
  const { store, serial, logger } = deps;
  const campaigns = new Map<string, Campaign>();
  const visibility = openVisibility();
  const keep = (campaign: Campaign): void => {
    campaigns.set(campaign.state.campaign, campaign);
    visibility.update(campaign);
  };
  for (const campaign of await store.listCampaigns()) keep(campaign);
  const written = new Set<string>();
  for (const [id, operators] of deps.recipients) {
    for (const operator of operators) visibility.addRecipient(id, operator);
    if (operators.size > 0) written.add(id);
  }

  return {
    all: () => [...campaigns.values()],
    listVisible: (caller) =>
      [...campaigns].filter(([id]) => visibility.isVisible(id, caller)).map(([, it]) => it),
    find: (id) => campaigns.get(id),
    getVisible(id, caller) {
      const campaign = visibility.isVisible(id, caller) ? campaigns.get(id) : undefined;
      if (campaign === undefined) throw new ServiceError('not_found', 'no such resource');
      return campaign;
    },
    getToReview(id, firm) {
      const campaign = visibility.isAsked(id, firm) ? campaigns.get(id) : undefined;
      if (campaign === undefined) throw new ServiceError('not_found', 'no such resource');
      return campaign;
    },
    addRecipient(id, operator) {
      visibility.addRecipient(id, operator);
      written.add(id);
    },
    hasRecipients: (id) => written.has(id),
    async add(campaign, plan, event) {
      await store.createCampaign(campaign, plan, event);
      keep(campaign);
      logger.info({ campaign: plan.campaign, event: event.type }, 'campaign');
    },
    async addPlan(campaign, plan) {
      await store.addPlan(plan);
      const plans = new Map([
        ...campaign.plans,
        [plan.digest, { plan: parsePlan(plan.bytes), bytes: plan.bytes }],
      ]);
      keep({ ...campaign, plans });
    },
    exclusively: (id, task) => serial.run(id, () => task(campaigns.get(id))),
    async apply(change) {
      await store.applyChange(change);
      const id = change.after.state.campaign;
      keep(change.after);
      for (const { seq, type } of change.events) {
        logger.info({ campaign: id, seq, event: type }, 'campaign');
      }
      return change.after;
    },
  };
}
