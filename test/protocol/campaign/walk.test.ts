import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  applyAdoption,
  applyDirective,
  applyLatestDate,
  applyRelease,
  openCampaign,
} from '../../../protocol/campaign/campaign.ts';
import type { CampaignState } from '../../../protocol/campaign/campaign.ts';
import type { Directive } from '../../../protocol/campaign/directive.ts';
import { ACTIONS, CAMPAIGN_STATUSES } from '../../../protocol/campaign/transitions.ts';
import type { Action, CampaignStatus } from '../../../protocol/campaign/transitions.ts';
import { formatTime, parseTime } from '../../../protocol/encoding/time.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { digestNamed, digestOf, planOf, revisionOf } from '../plan/plans.ts';
import { OTHER_NETWORK, recipientNamed } from '../trust/network.ts';
import { ISSUED } from './directives.ts';

type Event = 'release' | 'adoption' | 'latest-date';

/** What is tried at one step: an event, or a directive with at most one thing wrong with it. */
interface Step {
  readonly by: Action | Event;
  readonly to: CampaignStatus;
  readonly flaw: keyof typeof FLAWS | 'none';
}

const FLAWS = {
  replayed: ({ sequence }) => ({ sequence: sequence - 1 }),
  skipped: ({ sequence }) => ({ sequence: sequence + 1 }),
  forked: () => ({ previous: digestNamed('fork') }),
  elsewhere: () => ({ campaign: 'SDX-2026-0000' }),
  otherNetwork: () => ({ network: OTHER_NETWORK }),
  exercise: ({ exercise }) => ({ exercise: !exercise }),
  otherPlan: () => ({ plan: digestNamed('other plan') }),
  otherRevision: ({ revision }) => ({ revision: revision + 1 }),
  expired: () => ({ expiresAt: formatTime(ISSUED) }),
  fromTheFuture: () => ({ issuedAt: formatTime(ISSUED + 3_600_000) }),
} satisfies Readonly<Record<string, (directive: Directive) => Partial<Directive>>>;

const EVENTS: readonly Event[] = ['release', 'adoption', 'latest-date'];

/** The design in the fewest words: may `by` lead from one state to the other? */
function isAllowed(from: CampaignStatus, by: Step['by'], to: CampaignStatus): boolean {
  const before = ['draft', 'committed', 'notified', 'armed'];
  const out = ['released', 'adopted', 'withdrawn'];
  switch (by) {
    case 'commit':
      if (from === 'draft') return to === 'committed';
      return to === from && [...before, 'released'].includes(from);
    case 'notify':
      return from === 'committed' && to === 'notified';
    case 'arm':
      return (from === 'committed' || from === 'notified') && to === 'armed';
    case 'reschedule':
      return from === 'armed' && to === 'armed';
    case 'release':
      return from === 'armed' && to === 'released';
    case 'adoption':
      return from === 'released' && to === 'adopted';
    case 'supersede':
      return out.includes(from) && (to === 'armed' || to === 'released');
    case 'withdraw':
      return (from === 'released' || from === 'adopted') && to === 'withdrawn';
    case 'abort':
      return before.includes(from) && to === 'aborted';
    case 'disclose':
      return (out.includes(from) || from === 'aborted') && to === 'disclosed';
    case 'leaked':
      return from !== 'disclosed' && to === 'disclosed';
    case 'latest-date':
      return from !== 'draft' && from !== 'disclosed' && to === 'disclosed';
  }
}

interface Walk {
  state: CampaignState;
  plan: Plan;
  readonly plans: Map<string, Plan>;
}

function begin(): Walk {
  const plan = planOf();
  const digest = digestOf(plan);
  return { state: openCampaign(plan, digest), plan, plans: new Map([[digest, plan]]) };
}

function take(walk: Walk, step: Step): CampaignState {
  if (step.by === 'release') return applyRelease(walk.state);
  if (step.by === 'adoption') return applyAdoption(walk.state);
  if (step.by === 'latest-date') {
    return applyLatestDate(walk.state, parseTime(walk.state.latestDisclosure));
  }
  return decide(walk, step.by, step);
}

function decide(walk: Walk, action: Action, { to, flaw }: Step): CampaignState {
  const { status, sequence, previous } = walk.state;
  const next = nextPlan(walk, action);
  walk.plans.set(digestOf(next), next);
  const right: Directive = {
    plan: digestOf(next),
    campaign: next.campaign,
    network: next.network,
    rootVersion: 1,
    exercise: next.exercise,
    action,
    from: status,
    to,
    sequence: sequence + 1,
    previous,
    revision: next.revision,
    reason: 'because',
    issuedAt: formatTime(ISSUED),
    expiresAt: formatTime(ISSUED + 1000),
    ...(action === 'reschedule' && { releaseTime: '2026-11-21T14:00:00Z' }),
  };
  const directive = flaw === 'none' ? right : { ...right, ...FLAWS[flaw](right) };
  const digest = digestNamed(JSON.stringify(directive));
  const state = applyDirective(walk.state, directive, digest, ISSUED, walk.plans);
  walk.plan = next;
  return state;
}

function nextPlan({ plan, state }: Walk, action: Action): Plan {
  const words = digestNamed(`words ${plan.revision}`);
  if (action === 'commit' && state.status !== 'draft') {
    return revisionOf(plan, { 'disclosure.md': words });
  }
  if (action === 'supersede') {
    const releaseRecipient = recipientNamed(`release ${plan.revision}`);
    return revisionOf(plan, { 'release.txt': words }, { releaseRecipient });
  }
  return plan;
}

/** Moves that do not end a campaign, tried more often so that walks get far. */
const ONWARD = [
  'commit',
  'arm',
  'reschedule',
  'release',
  'adoption',
  'supersede',
  'withdraw',
] as const;

/** Usually right; `to` is often the state that the move leads to. */
const steps = fc.array(
  fc.record({
    by: fc.oneof(
      { weight: 1, arbitrary: fc.constantFrom(...ACTIONS, ...EVENTS) },
      { weight: 4, arbitrary: fc.constantFrom(...ONWARD) },
    ),
    to: fc.constantFrom(...CAMPAIGN_STATUSES),
    flaw: fc.oneof(
      { weight: 5, arbitrary: fc.constant('none' as const) },
      { weight: 1, arbitrary: fc.constantFrom(...(Object.keys(FLAWS) as (keyof typeof FLAWS)[])) },
    ),
    guessed: fc.nat(4).map((n) => n === 0),
  }),
  { minLength: 15, maxLength: 40, size: 'max' },
);

describe('a campaign on a random walk', () => {
  it('moves as the design says, never otherwise, whatever is tried (property)', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(steps, (walkSteps) => {
        const walk = begin();
        for (const { guessed, ...step } of walkSteps) {
          const { state } = walk;
          const isEvent = EVENTS.some((event) => event === step.by);
          const targets = CAMPAIGN_STATUSES.filter((to) => isAllowed(state.status, step.by, to));
          const to = guessed || isEvent ? step.to : (targets[0] ?? step.to);
          const flawed = !isEvent && step.flaw !== 'none';
          const allowed = isEvent ? targets.length > 0 : targets.includes(to) && !flawed;
          try {
            walk.state = take(walk, { ...step, to });
          } catch (error) {
            assert.ok(error instanceof ProtocolError);
            assert.equal(allowed, false, `${state.status} ${step.by} ${to} ${step.flaw}`);
            continue;
          }
          assert.equal(allowed, true, `${state.status} ${step.by} ${to} ${step.flaw}`);
          seen.add(`${state.status} ${step.by}`);
          assert.equal(walk.state.status, isEvent ? targets[0] : to);
          assert.equal(walk.state.sequence, state.sequence + (isEvent ? 0 : 1));
          assert.equal(walk.state.plan, digestOf(walk.plan));
          assert.equal(walk.state.revision, walk.plan.revision);
          if (state.released && !walk.state.released) assert.equal(step.by, 'supersede');
        }
      }),
      { numRuns: 500 },
    );
    // Walks that never got anywhere would prove nothing.
    assert.ok(seen.size >= 30, `only ${seen.size} different moves were made`);
  });
});
