import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ACTIONS,
  allowedActions,
  CAMPAIGN_STATUSES,
  getMove,
  MOVES,
  nextStatus,
} from '../../../protocol/campaign/transitions.ts';
import type { CampaignStatus, Move } from '../../../protocol/campaign/transitions.ts';

const EVENTS = ['release', 'adoption', 'latest-date'] as const;

/** DESIGN section 3 again, written down the other way round: per state, what leads where. */
const EXPECTED: Readonly<Record<CampaignStatus, Readonly<Record<string, string>>>> = {
  draft: { commit: 'committed', abort: 'aborted', leaked: 'disclosed' },
  committed: {
    commit: 'committed',
    notify: 'notified',
    arm: 'armed',
    abort: 'aborted',
    leaked: 'disclosed',
    'latest-date': 'disclosed',
  },
  notified: {
    commit: 'notified',
    arm: 'armed',
    abort: 'aborted',
    leaked: 'disclosed',
    'latest-date': 'disclosed',
  },
  armed: {
    commit: 'armed',
    reschedule: 'armed',
    release: 'released',
    abort: 'aborted',
    leaked: 'disclosed',
    'latest-date': 'disclosed',
  },
  released: {
    commit: 'released',
    adoption: 'adopted',
    disclose: 'disclosed',
    supersede: 'armed|released',
    withdraw: 'withdrawn',
    leaked: 'disclosed',
    'latest-date': 'disclosed',
  },
  adopted: {
    disclose: 'disclosed',
    supersede: 'armed|released',
    withdraw: 'withdrawn',
    leaked: 'disclosed',
    'latest-date': 'disclosed',
  },
  aborted: { disclose: 'disclosed', leaked: 'disclosed', 'latest-date': 'disclosed' },
  withdrawn: {
    supersede: 'armed|released',
    disclose: 'disclosed',
    leaked: 'disclosed',
    'latest-date': 'disclosed',
  },
  disclosed: {},
};

const movesOf = (from: CampaignStatus): readonly Move[] =>
  MOVES.filter((move) => move.from.includes(from));

describe('the table of moves', () => {
  for (const from of CAMPAIGN_STATUSES) {
    it(`allows from ${from} what the design allows, and nothing else`, () => {
      const actual = Object.fromEntries(movesOf(from).map(({ by, to }) => [by, to.join('|')]));
      assert.deepEqual(actual, EXPECTED[from]);
    });
  }

  it('has one row at most for any state and any way to leave it', () => {
    for (const from of CAMPAIGN_STATUSES) {
      const ways = movesOf(from).map(({ by }) => by);
      assert.equal(new Set(ways).size, ways.length, from);
    }
  });

  it('leaves disclosed by nothing, and reaches every other state', () => {
    assert.deepEqual(allowedActions('disclosed'), []);
    const reached = new Set<CampaignStatus>(['draft']);
    for (let before = 0; before !== reached.size;) {
      before = reached.size;
      for (const { from, to } of MOVES) {
        if (from.some((status) => reached.has(status))) to.forEach((status) => reached.add(status));
      }
    }
    assert.deepEqual([...reached].sort(), [...CAMPAIGN_STATUSES].sort());
  });

  it('needs an override for disclosing without adoption, and nowhere else', () => {
    const overridden = MOVES.filter(({ override }) => override === true);
    assert.deepEqual(
      overridden.map(({ from, by }) => [...from, by]),
      [['released', 'disclose']],
    );
  });

  it('takes a reason for whatever is out of the ordinary', () => {
    const silent = MOVES.filter(({ reason }) => !reason).flatMap(({ from, by }) =>
      from.map((status) => `${status} ${by}`),
    );
    assert.deepEqual(
      silent.filter((move) => !EVENTS.some((event) => move.endsWith(` ${event}`))),
      [
        'draft commit',
        'committed notify',
        'committed arm',
        'notified arm',
        'adopted disclose',
        'aborted disclose',
      ],
    );
  });

  it('lets only commit and supersede revise the plan, and the first commit not', () => {
    for (const { from, by, revises } of MOVES) {
      const expected = by === 'supersede' || (by === 'commit' && !from.includes('draft'));
      assert.equal(revises ?? false, expected, `${from.join()} ${by}`);
    }
  });

  it('releases by shares alone: no directive leads to released but a supersede or a rewording', () => {
    const ways = MOVES.filter(
      ({ from, to }) => to.includes('released') && !from.includes('released'),
    );
    assert.deepEqual(
      ways.map(({ by }) => by),
      ['release'],
    );
  });
});

describe('nextStatus', () => {
  it('takes the first of two ways unless another is wanted', () => {
    assert.equal(nextStatus('adopted', 'supersede'), 'armed');
    assert.equal(nextStatus('adopted', 'supersede', 'released'), 'released');
    assert.throws(() => nextStatus('adopted', 'supersede', 'disclosed'), {
      code: 'transition_refused',
    });
  });

  it('names what is allowed when it refuses', () => {
    assert.throws(() => nextStatus('committed', 'disclose'), {
      code: 'transition_refused',
      message: 'no disclose from committed; allowed: commit, notify, arm, abort, leaked',
    });
    assert.throws(() => getMove('disclosed', 'leaked'), {
      message: 'no leaked from disclosed; allowed: nothing',
    });
  });

  it('refuses every pair that is not in the table', () => {
    let refusals = 0;
    for (const from of CAMPAIGN_STATUSES) {
      for (const by of [...ACTIONS, ...EVENTS]) {
        if (Object.hasOwn(EXPECTED[from], by)) continue;
        assert.throws(() => nextStatus(from, by), { code: 'transition_refused' });
        refusals++;
      }
    }
    assert.equal(refusals, 9 * 12 - Object.values(EXPECTED).flatMap(Object.keys).length);
  });
});
