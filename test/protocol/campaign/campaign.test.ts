import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  applyAdoption,
  applyDirective,
  applyLatestDate,
  applyRelease,
  MAX_CLOCK_SKEW_MS,
  openCampaign,
} from '../../../protocol/campaign/campaign.ts';
import type { CampaignState } from '../../../protocol/campaign/campaign.ts';
import type { Directive } from '../../../protocol/campaign/directive.ts';
import { isDue } from '../../../protocol/campaign/due.ts';
import type { Action } from '../../../protocol/campaign/transitions.ts';
import { parseTime } from '../../../protocol/encoding/time.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { digestNamed, digestOf, lockedPlanOf, planOf, revisionOf } from '../plan/plans.ts';
import { OTHER_NETWORK, recipientNamed } from '../trust/network.ts';
import { directiveOf, ISSUED } from './directives.ts';

const plan = planOf();
const draft = openCampaign(plan, digestOf(plan));

/** Apply moves one after the other, each right in everything. */
function after(...moves: readonly (Action | 'release' | 'adoption')[]): CampaignState {
  return moves.reduce((state, move) => {
    if (move === 'release') return applyRelease(state);
    if (move === 'adoption') return applyAdoption(state);
    return decide(state, move);
  }, draft);
}

function decide(
  state: CampaignState,
  action: Action,
  changes: Partial<Directive> = {},
  plans?: ReadonlyMap<string, Plan>,
): CampaignState {
  const directive = directiveOf(state, action, changes);
  return applyDirective(state, directive, digestNamed(JSON.stringify(directive)), ISSUED, plans);
}

/** Apply a revised plan under a commit or supersede. */
function reviseTo(
  state: CampaignState,
  action: Action,
  next: Plan,
  changes: Partial<Directive> = {},
): CampaignState {
  const plans = new Map([plan, next].map((it) => [digestOf(it), it]));
  return decide(
    state,
    action,
    { plan: digestOf(next), revision: next.revision, ...changes },
    plans,
  );
}

const refused = (code: string, run: () => unknown): void => {
  assert.throws(run, { code });
};

describe('a campaign', () => {
  it('goes from draft to disclosed on the usual way', () => {
    const state = after('commit', 'notify', 'arm', 'release', 'adoption', 'disclose');
    assert.equal(state.status, 'disclosed');
    assert.equal(state.sequence, 4);
    assert.equal(state.released, true);
  });

  it('opens with the first revision of its plan only', () => {
    const second = revisionOf(plan, {});
    refused('plan_invalid', () => openCampaign(second, digestOf(second)));
  });

  it('remembers each directive by the digest of its payload', () => {
    const state = applyDirective(draft, directiveOf(draft, 'commit'), digestNamed('one'), ISSUED);
    assert.equal(state.previous, digestNamed('one'));
    assert.equal(state.rootVersion, 1);
  });

  it('is not released by any directive, and not adopted without being released', () => {
    refused('transition_refused', () => applyRelease(after('commit', 'notify')));
    refused('transition_refused', () => applyAdoption(after('commit', 'arm')));
    refused('transition_refused', () => applyRelease(after('commit', 'arm', 'abort')));
  });

  it('keeps adoption for good', () => {
    const adopted = after('commit', 'arm', 'release', 'adoption');
    refused('transition_refused', () => applyAdoption(adopted));
    refused('transition_refused', () => applyRelease(adopted));
  });

  it('frees the release key when leaked while armed, and only then', () => {
    assert.equal(after('commit', 'arm', 'leaked').released, true);
    assert.equal(after('commit', 'notify', 'leaked').released, false);
    assert.equal(after('commit', 'arm', 'abort', 'leaked').released, false);
  });

  it('discloses at the latest date whatever officers do, never before it', () => {
    const date = parseTime(plan.latestDisclosure);
    for (const state of [
      after('commit'),
      after('commit', 'arm', 'release'),
      after('commit', 'abort'),
      after('commit', 'arm', 'release', 'withdraw'),
    ]) {
      assert.equal(applyLatestDate(state, date).status, 'disclosed');
      refused('transition_refused', () => applyLatestDate(state, date - 1));
    }
    refused('transition_refused', () => applyLatestDate(draft, date));
    const disclosed = after('commit', 'leaked');
    refused('transition_refused', () => applyLatestDate(disclosed, date));
  });
});

describe('a directive', () => {
  const committed = after('commit');

  const wrong: Readonly<Record<string, [string, Partial<Directive>]>> = {
    'another campaign': ['statement_invalid', { campaign: 'SDX-2026-7KQ5' }],
    'another network': ['statement_invalid', { network: OTHER_NETWORK }],
    'an exercise made of the real thing': ['statement_invalid', { exercise: true }],
    'another plan': ['statement_invalid', { plan: digestNamed('other plan') }],
    'another revision': ['statement_invalid', { revision: 2 }],
    'a number used before': ['transition_refused', { sequence: 1 }],
    'a number skipped': ['transition_refused', { sequence: 3 }],
    'another predecessor': ['transition_refused', { previous: digestNamed('fork') }],
    'no predecessor': ['transition_refused', { previous: null }],
    'another state than the campaign is in': ['transition_refused', { from: 'notified' }],
    'a state that the move does not lead to': ['transition_refused', { to: 'released' }],
    'an older root than the one before': ['transition_refused', { rootVersion: 0 }],
  };
  for (const [flaw, [code, changes]] of Object.entries(wrong)) {
    it(`is refused with ${flaw}`, () => {
      refused(code, () => decide(committed, 'arm', changes));
    });
  }

  it('is refused when applied twice', () => {
    const directive = directiveOf(committed, 'arm');
    const armed = applyDirective(committed, directive, digestNamed('arm'), ISSUED);
    refused('transition_refused', () =>
      applyDirective(armed, directive, digestNamed('arm'), ISSUED),
    );
  });

  it('is refused when the release overtook it', () => {
    const armed = after('commit', 'arm');
    const abort = directiveOf(armed, 'abort');
    refused('transition_refused', () =>
      applyDirective(applyRelease(armed), abort, digestNamed('abort'), ISSUED),
    );
  });

  it('expires at its instant', () => {
    const directive = directiveOf(committed, 'notify');
    const expiry = parseTime(directive.expiresAt);
    applyDirective(committed, directive, digestNamed('x'), expiry - 1);
    refused('transition_refused', () =>
      applyDirective(committed, directive, digestNamed('x'), expiry),
    );
  });

  it('is refused from the future, as far as clocks may differ', () => {
    const directive = directiveOf(committed, 'notify');
    const apply = (now: number): unknown =>
      applyDirective(committed, directive, digestNamed('x'), now);
    apply(ISSUED - MAX_CLOCK_SKEW_MS);
    refused('transition_refused', () => apply(ISSUED - MAX_CLOCK_SKEW_MS - 1));
  });

  it('arms only while T0 is ahead', () => {
    const late = directiveOf(committed, 'arm', {}, parseTime(plan.releaseTime) - 1000);
    applyDirective(committed, late, digestNamed('x'), parseTime(plan.releaseTime) - 1);
    refused('transition_refused', () =>
      applyDirective(committed, late, digestNamed('x'), parseTime(plan.releaseTime)),
    );
  });

  it('reschedules to a T0 ahead and before the latest date, as often as needed', () => {
    const armed = after('commit', 'arm');
    const moved = decide(armed, 'reschedule', { releaseTime: '2026-11-25T14:00:00Z' });
    assert.equal(moved.releaseTime, '2026-11-25T14:00:00Z');
    assert.equal(moved.status, 'armed');
    const again = decide(moved, 'reschedule', { releaseTime: '2026-11-19T14:00:00Z' });
    assert.equal(again.releaseTime, '2026-11-19T14:00:00Z');
    for (const releaseTime of [
      '2026-11-13T14:00:00Z', // the very instant
      '2025-11-25T14:00:00Z', // last year by mistake: would release at once
      plan.latestDisclosure,
    ]) {
      refused('transition_refused', () => decide(armed, 'reschedule', { releaseTime }));
    }
  });
});

describe('a revision of the plan', () => {
  const reworded = { 'disclosure.md': digestNamed('reworded') };
  const second = revisionOf(plan, reworded);

  it('is committed in every state from committed to released, which stays', () => {
    for (const state of [
      after('commit'),
      after('commit', 'notify'),
      after('commit', 'arm'),
      after('commit', 'arm', 'release'),
    ]) {
      const revised = reviseTo(state, 'commit', second);
      assert.equal(revised.status, state.status);
      assert.equal(revised.revision, 2);
      assert.equal(revised.plan, digestOf(second));
      assert.equal(revised.released, state.released);
    }
  });

  it('is never the work of another move', () => {
    refused('statement_invalid', () => reviseTo(after('commit'), 'arm', second));
    refused('statement_invalid', () => reviseTo(draft, 'commit', second));
  });

  it('needs both plans at hand', () => {
    const changes = { plan: digestOf(second), revision: 2 };
    refused('plan_invalid', () => decide(after('commit'), 'commit', changes));
    const one = new Map([[digestOf(second), second]]);
    refused('plan_invalid', () => decide(after('commit'), 'commit', changes, one));
  });

  it('is refused without the directive saying its number', () => {
    const committed = after('commit');
    refused('statement_invalid', () => reviseTo(committed, 'commit', second, { revision: 1 }));
    refused('statement_invalid', () => reviseTo(committed, 'commit', second, { revision: 3 }));
  });

  const otherHistory = revisionOf(planOf({ releaseRecipient: recipientNamed('x') }), reworded);
  const cases: Readonly<Record<string, Plan>> = {
    'the plan in force once more': plan,
    'a revision skipped': revisionOf(second, {}),
    'another campaign': revisionOf(plan, reworded, { campaign: 'SDX-2026-7KQ5' }),
    'another network': revisionOf(plan, reworded, { network: OTHER_NETWORK }),
    'an exercise made of the real thing': revisionOf(plan, reworded, { exercise: true }),
    'the nonce used before': revisionOf(plan, reworded, { nonce: plan.nonce }),
    'another COMMITMENT before it': revisionOf(
      { ...otherHistory, revision: 1, commitment: digestNamed('another list') },
      reworded,
    ),
  };
  for (const [flaw, next] of Object.entries(cases)) {
    it(`is refused with ${flaw}`, () => {
      refused('plan_invalid', () => reviseTo(after('commit'), 'commit', next));
    });
  }

  it('may change anything else before the campaign is armed', () => {
    const next = revisionOf(
      plan,
      { 'notice.txt': digestNamed('n'), 'release.txt': digestNamed('r') },
      { releaseTime: '2026-11-24T14:00:00Z', releaseRecipient: recipientNamed('renewed') },
    );
    assert.equal(reviseTo(after('commit'), 'commit', next).releaseTime, next.releaseTime);
  });

  it('leaves alone, once armed, what operators hold', () => {
    const [agave, jito] = plan.bundles;
    assert.ok(agave && jito);
    const changes: readonly [Readonly<Record<string, string>>, Partial<Plan>][] = [
      [{ 'notice.txt': digestNamed('n') }, {}],
      [{ 'release.txt': digestNamed('r') }, {}],
      [{}, { releaseRecipient: recipientNamed('renewed') }],
      [{}, { accessRecipient: recipientNamed('renewed') }],
      [{}, { bundles: [agave] }],
      [{}, { releaseTime: '2026-11-24T14:00:00Z' }],
      [{}, { milestones: plan.milestones.slice(1) }],
      [{}, { snapshot: { sha256: digestNamed('s'), point: 'epoch 651' } }],
      [{}, { shareThreshold: 3 }],
      [{}, { shares: plan.shares.map((s) => ({ ...s, sha256: digestNamed(s.sha256) })) }],
    ];
    for (const state of [after('commit', 'arm'), after('commit', 'arm', 'release')]) {
      for (const [documents, change] of changes) {
        const next = revisionOf(plan, documents, change);
        refused('plan_invalid', () => reviseTo(state, 'commit', next));
      }
    }
  });

  it('keeps a rescheduled T0', () => {
    const moved = decide(after('commit', 'arm'), 'reschedule');
    assert.equal(reviseTo(moved, 'commit', second).releaseTime, moved.releaseTime);
    const early = revisionOf(plan, {}, { latestDisclosure: '2026-11-21T00:00:00Z' });
    refused('transition_refused', () => reviseTo(moved, 'commit', early));
  });

  it('moves the latest disclosure date while that is ahead, and not into the past', () => {
    const later = revisionOf(plan, {}, { latestDisclosure: '2027-01-20T14:00:00Z' });
    const released = after('commit', 'arm', 'release');
    assert.equal(reviseTo(released, 'commit', later).latestDisclosure, later.latestDisclosure);

    const plans = new Map([plan, later].map((it) => [digestOf(it), it]));
    const changes = { plan: digestOf(later), revision: 2 };
    const at = parseTime(plan.latestDisclosure);
    const directive = directiveOf(released, 'commit', changes, at - 1000);
    applyDirective(released, directive, digestNamed('x'), at - 1, plans);
    refused('transition_refused', () =>
      applyDirective(released, directive, digestNamed('x'), at, plans),
    );
    const past = revisionOf(
      planOf(),
      {},
      {
        releaseTime: '2026-11-01T00:00:00Z',
        latestDisclosure: '2026-11-13T14:00:00Z',
      },
    );
    refused('transition_refused', () => reviseTo(after('commit'), 'commit', past));
  });
});

describe('superseding a release', () => {
  const released = after('commit', 'arm', 'release');
  const fixed = revisionOf(
    plan,
    { 'release.txt': digestNamed('fixed') },
    { releaseRecipient: recipientNamed('fixed'), releaseTime: '2026-11-23T14:00:00Z' },
  );

  it('arms again under a key that is not out, from released, adopted and withdrawn', () => {
    for (const state of [
      released,
      applyAdoption(released),
      decide(released, 'withdraw'),
      decide(applyAdoption(released), 'withdraw'),
    ]) {
      const armed = reviseTo(state, 'supersede', fixed);
      assert.equal(armed.status, 'armed');
      assert.equal(armed.released, false);
      assert.equal(armed.releaseTime, fixed.releaseTime);
      assert.equal(applyRelease(armed).released, true);
    }
  });

  it('may release at once', () => {
    const now = reviseTo(released, 'supersede', fixed, { to: 'released' });
    assert.equal(now.status, 'released');
    assert.equal(now.released, true);
  });

  it('is refused with the patch or the key of before, or with a T0 that has passed', () => {
    const samePatch = revisionOf(plan, {}, { releaseRecipient: recipientNamed('fixed') });
    const sameKey = revisionOf(plan, { 'release.txt': digestNamed('fixed') });
    refused('plan_invalid', () => reviseTo(released, 'supersede', samePatch));
    refused('plan_invalid', () => reviseTo(released, 'supersede', sameKey));
    const past = { ...fixed, releaseTime: '2026-11-13T14:00:00Z' };
    refused('transition_refused', () => reviseTo(released, 'supersede', past));
    reviseTo(released, 'supersede', past, { to: 'released' });
  });
});

describe('a time-locked campaign', () => {
  const armed = (locked: Plan): CampaignState =>
    (['commit', 'arm'] as const).reduce(
      (state, action) => decide(state, action),
      openCampaign(locked, digestOf(locked)),
    );
  const { breakGlassThreshold, ...rest } = lockedPlanOf();
  assert.equal(breakGlassThreshold, 3);
  const alone: Plan = { ...rest, shares: rest.shares.filter(({ key }) => key !== 'break-glass') };

  it('moves its T0 later only, however often it was moved', () => {
    const state = armed(lockedPlanOf());
    for (const releaseTime of ['2026-11-20T13:59:59Z', plan.releaseTime]) {
      refused('transition_refused', () => decide(state, 'reschedule', { releaseTime }));
      assert.equal(decide(armed(plan), 'reschedule', { releaseTime }).releaseTime, releaseTime);
    }
    const moved = decide(state, 'reschedule', { releaseTime: '2026-11-22T14:00:00Z' });
    refused('transition_refused', () =>
      decide(moved, 'reschedule', { releaseTime: '2026-11-21T14:00:00Z' }),
    );
    decide(moved, 'reschedule', { releaseTime: '2026-11-22T14:00:01Z' });
  });

  it('breaks the glass when leaked while armed, and only then', () => {
    const state = armed(lockedPlanOf());
    assert.equal(state.breakGlass, 'sealed');
    const leaked = decide(state, 'leaked');
    assert.deepEqual([leaked.breakGlass, leaked.released], ['broken', true]);
    const before = decide(openCampaign(lockedPlanOf(), digestOf(lockedPlanOf())), 'leaked');
    assert.deepEqual([before.breakGlass, before.released], ['sealed', false]);
    assert.equal(decide(decide(state, 'abort'), 'leaked').breakGlass, 'sealed');
    assert.equal(decide(armed(plan), 'leaked').breakGlass, 'none');
  });

  it('cannot be leaked while armed without a second split', () => {
    refused('transition_refused', () => decide(armed(alone), 'leaked'));
    assert.equal(decide(decide(armed(alone), 'abort'), 'leaked').status, 'disclosed');
  });

  it('has its break-glass shares out once leaked or past T0, never before, never when aborted', () => {
    const state = armed(lockedPlanOf());
    const t0 = parseTime(plan.releaseTime);
    const isOut = (of: CampaignState, now: number): boolean => isDue('break-glass', of, now);
    assert.deepEqual([isOut(state, t0 - 1), isOut(state, t0)], [false, true]);
    assert.equal(isOut(decide(state, 'leaked'), ISSUED), true);
    assert.equal(isOut(decide(state, 'abort'), t0), false);
    assert.equal(isOut(armed(alone), t0), false);
    assert.equal(isOut(armed(plan), t0), false);
  });
});
