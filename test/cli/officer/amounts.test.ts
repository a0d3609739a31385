import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bar, countdown, percent } from '../../../cli/officer/amounts.ts';
import { missingStake } from '../../../cli/officer/progress.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { isReached, type Milestone } from '../../../protocol/stake/milestone.ts';

describe('what people are shown', () => {
  it('never shows more than has been reached', () => {
    assert.equal(percent(2n * 10n ** 18n, 3n * 10n ** 18n), '66.66 %');
    assert.equal(percent(999_999n, 1_000_000n), '99.99 %');
    assert.equal(percent(0n, 0n), '0.00 %');
  });

  it('draws the lines at one third and two thirds', () => {
    assert.equal(bar(1n, 2n, 12), '####|#..|...');
    assert.equal(bar(0n, 0n, 6), '..|.|.');
  });

  it('counts down to T0 and up from it', () => {
    assert.equal(countdown(90_061_000), 'T-1 d 01:01:01');
    assert.equal(countdown(0), 'T+00:00:00');
    assert.equal(countdown(-5_000), 'T+00:00:05');
  });
});

describe('missingStake', () => {
  const planWith = (gate: Pick<Milestone, 'num' | 'den' | 'strict'>): Plan =>
    ({
      milestones: [{ name: 'gate', weight: 'stake', action: 'gate', ...gate }],
    }) as unknown as Plan;

  it('is exactly what the gate still takes (property)', () => {
    const gate = fc
      .record({
        num: fc.integer({ min: 1, max: 9 }),
        den: fc.integer({ min: 1, max: 9 }),
        strict: fc.boolean(),
      })
      .filter(({ num, den }) => num < den);
    const stakes = fc
      .tuple(fc.bigInt(1n, 60n), fc.bigInt(0n, 60n))
      .filter(([total, attested]) => attested <= total);
    fc.assert(
      fc.property(gate, stakes, (share, [total, attested]) => {
        const missing = missingStake(planWith(share), attested, total);
        if (isReached(share, attested, total)) {
          assert.equal(missing, 0n);
          return;
        }
        assert.ok(isReached(share, attested + missing, total));
        assert.ok(!isReached(share, attested + missing - 1n, total));
      }),
    );
  });
});
