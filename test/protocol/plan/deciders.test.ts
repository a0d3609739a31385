import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  checkDeciders,
  fewestDeciders,
  findDecidersFlaw,
} from '../../../protocol/plan/deciders.ts';

const plan = (shareThreshold: number, held = 0, exercise = false) => ({
  exercise,
  shareThreshold,
  shares: Array.from({ length: held }, (_, i) => {
    const officer = i === 0 ? 'server' : `server-${i + 1}`;
    return { key: 'release' as const, officer };
  }),
});
const root = (directiveThreshold: number, size: number) => ({
  directiveThreshold,
  people: { size },
});

describe('who decides by now over a plan of older thresholds', () => {
  it('leaves too few out to open it, with or without the share of the server', () => {
    assert.equal(findDecidersFlaw(plan(3), root(3, 5)), undefined);
    assert.match(
      findDecidersFlaw(plan(2), root(3, 5)) ?? '',
      /3 of 5 decide, which leaves 2 out, and 2 shares open it$/,
    );
    // With the server two officers open: those left out are as many.
    assert.match(findDecidersFlaw(plan(3, 1), root(3, 5)) ?? '', /with the share of the server/);
    assert.equal(findDecidersFlaw(plan(3, 1), root(4, 5)), undefined);
    // An exercise may be opened by the server alone, not by officers against the others.
    assert.equal(findDecidersFlaw(plan(3, 3, true), root(3, 5)), undefined);
    assert.match(findDecidersFlaw(plan(2, 2, true), root(3, 5)) ?? '', /could open the patch/);
    assert.throws(
      () => {
        checkDeciders(plan(2), root(3, 5));
      },
      { code: 'plan_invalid' },
    );
  });

  it('is told how many have to decide, and one fewer are too few', () => {
    for (const n of [3, 5, 7, 9]) {
      for (const t of [2, 3, 4]) {
        for (const held of t > 2 ? [0, 1] : [0]) {
          const it = plan(t, held);
          const fewest = fewestDeciders(it, root(1, n));
          assert.equal(findDecidersFlaw(it, root(fewest, n)), undefined);
          assert.notEqual(findDecidersFlaw(it, root(fewest - 1, n)), undefined);
        }
      }
    }
  });
});
