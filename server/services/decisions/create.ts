import { openCampaign } from '../../../protocol/campaign/campaign.ts';
import { formatInstant } from '../../../protocol/encoding/time.ts';
import { parsePlan, planDigest } from '../../../protocol/plan/plan.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { checkPlan } from '../../../protocol/plan/rules.ts';
import { requireAgeText } from '../age-file.ts';
import type { Campaign } from '../campaign/campaign.ts';
import { makeEvent } from '../campaign/change.ts';
import type { CustodyShare, NewPlan, Registry } from '../campaign/registry.ts';
import type { Custodian } from '../custody/custodian.ts';
import { ServiceError } from '../error.ts';
import type { Snapshots } from '../snapshots.ts';
import type { Trust } from '../trust/trust.ts';

/** A share is far smaller; its age file is allowed many recipients' worth of header. */
const MAX_CUSTODY_BYTES = 16 * 1024;

/** Plans for one revision, only one of which can ever be put in force. */
const MAX_CANDIDATES = 16;

export interface Creation {
  readonly campaign: string;
  readonly plan: string;
}

/**
 * Take in a plan: the first of a campaign, or the next revision of one that is there.
 *
 * Nothing is in force before officers decide so by a directive. The same plan again changes nothing.
 */
export function createCampaign(
  deps: {
    readonly registry: Registry;
    readonly snapshots: Snapshots;
    readonly trust: Trust;
    readonly custodian: Pick<Custodian, 'takeIn'>;
    readonly now: () => number;
  },
  bytes: Uint8Array,
  custody: readonly CustodyShare[],
): Promise<Creation> {
  const { registry, trust, now } = deps;
  const plan = parsePlan(bytes);
  const digest = planDigest(bytes);
  const id = plan.campaign;
  return registry.exclusively(id, async (current) => {
    if (current?.plans.has(digest) !== true) {
      checkPlan(plan, trust.current);
      await checkSnapshot(plan, deps.snapshots);
      checkCustody(plan, custody);
      await deps.custodian.takeIn(plan, custody);
      const added: NewPlan = { digest, campaign: id, revision: plan.revision, bytes, custody };
      await addPlan(registry, current, added, plan, now());
    }
    return { campaign: id, plan: digest };
  });
}

async function addPlan(
  registry: Registry,
  current: Campaign | undefined,
  added: NewPlan,
  plan: Plan,
  at: number,
): Promise<void> {
  if (current !== undefined) {
    if (plan.revision !== current.state.revision + 1) {
      throw new ServiceError('conflict', `revision ${current.state.revision + 1} is next`);
    }
    const candidates = [...current.plans.values()].filter(
      (it) => it.plan.revision === plan.revision,
    );
    if (candidates.length >= MAX_CANDIDATES) {
      throw new ServiceError('conflict', `revision ${plan.revision} has too many candidates`);
    }
    await registry.addPlan(current, added);
    return;
  }
  const createdAt = formatInstant(at);
  const campaign: Campaign = {
    state: openCampaign(plan, added.digest),
    plans: new Map([[added.digest, { plan, bytes: added.bytes }]]),
    events: 1,
    releaseShares: [],
    closingShares: [],
    breakGlassShares: [],
    createdAt,
    armedAt: null,
    releasedAt: null,
    supermajorityAt: null,
    disclosedAt: null,
    openedAt: null,
    closingKey: null,
  };
  const event = makeEvent(plan.campaign, 1, createdAt, 'created', `plan ${added.digest}`);
  await registry.add(campaign, added, event);
}

async function checkSnapshot(plan: Plan, snapshots: Snapshots): Promise<void> {
  const { sha256, point } = plan.snapshot;
  const snapshot = await snapshots.get(sha256).catch((error: unknown) => {
    if (!(error instanceof ServiceError && error.code === 'not_found')) throw error;
    throw new ServiceError('refused', "post the plan's snapshot first");
  });
  if (snapshot.network !== plan.network || snapshot.point !== point) {
    throw new ServiceError('refused', "the plan's snapshot is of another network or point");
  }
}

/** Exactly one sealed share for each that the plan commits to. */
function checkCustody(plan: Plan, custody: readonly CustodyShare[]): void {
  const nameOf = ({ key, officer }: Pick<CustodyShare, 'key' | 'officer'>): string =>
    `${key} ${officer}`;
  const planned = plan.shares.map(nameOf).sort().join('\n');
  if (custody.map(nameOf).sort().join('\n') !== planned) {
    throw new ServiceError('refused', "custody holds other shares than the plan's");
  }
  for (const { sealed } of custody) requireAgeText(sealed, MAX_CUSTODY_BYTES, 'a share');
}
