import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  DEFAULT_MILESTONES,
  isReached,
  milestoneShape,
} from '../../../protocol/stake/milestone.ts';

const TWO_THIRDS = { num: 2, den: 3, strict: true };
const ONE_THIRD = { num: 1, den: 3, strict: false };

describe('isReached', () => {
  it('is false at exactly two thirds and true one base unit above', () => {
    for (const third of [1n, 10n ** 18n, 2n ** 64n, 2n ** 128n + 1n]) {
      assert.equal(isReached(TWO_THIRDS, 2n * third, 3n * third), false);
      assert.equal(isReached(TWO_THIRDS, 2n * third + 1n, 3n * third), true);
    }
  });

  it('is false for 16 and true for 17 of 24 equal parts', () => {
    assert.equal(isReached(TWO_THIRDS, 16n, 24n), false);
    assert.equal(isReached(TWO_THIRDS, 17n, 24n), true);
  });

  it('is true at exactly a third where the share itself counts, and false one below', () => {
    const third = 2n ** 63n;
    assert.equal(isReached(ONE_THIRD, third, 3n * third), true);
    assert.equal(isReached(ONE_THIRD, third - 1n, 3n * third), false);
  });

  it('is false of nothing, strict or not', () => {
    assert.equal(isReached(TWO_THIRDS, 0n, 0n), false);
    assert.equal(isReached(ONE_THIRD, 0n, 0n), false);
    assert.equal(isReached({ num: 1, den: 1, strict: false }, 0n, 0n), false);
  });

  it('agrees with whole-number division, and grows with its part (property)', () => {
    const share = fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 20 }));
    fc.assert(
      fc.property(
        share,
        fc.boolean(),
        fc.bigInt(1n, 2n ** 130n),
        fc.nat(1000),
        ([num, more], strict, whole, per) => {
          const milestone = { num, den: num + more, strict };
          const part = (whole * BigInt(per)) / 1000n;
          // The least part that reaches: floor + 1 above the share, ceiling at the share.
          const [n, d] = [BigInt(num), BigInt(num + more)];
          const least = strict ? (whole * n) / d + 1n : (whole * n + d - 1n) / d;
          assert.equal(isReached(milestone, part, whole), part >= least);
          assert.equal(isReached(milestone, least, whole), true);
          assert.equal(isReached(milestone, least - 1n, whole), false);
        },
      ),
    );
  });

  it('does not change when all stake is scaled alike (property)', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 30n), fc.bigInt(1n, 30n), fc.bigInt(1n, 10n ** 30n), (a, b, k) => {
        assert.equal(isReached(TWO_THIRDS, a * k, b * k), isReached(TWO_THIRDS, a, b));
      }),
    );
  });
});

describe('a milestone in a plan', () => {
  it('is one of the defaults, or any fraction up to the whole', () => {
    for (const milestone of DEFAULT_MILESTONES) milestoneShape.parse(milestone);
    const [gate] = DEFAULT_MILESTONES.filter(({ action }) => action === 'gate');
    assert.deepEqual(
      { ...gate },
      {
        name: 'supermajority',
        ...TWO_THIRDS,
        weight: 'stake',
        action: 'gate',
      },
    );
  });

  it('is refused when it could never be reached, or is reached by nobody', () => {
    const [milestone] = DEFAULT_MILESTONES;
    for (const flaw of [
      { num: 0 },
      { num: -1 },
      { num: 4 },
      { num: 3, strict: true },
      { den: 0 },
      { num: 0.5 },
      { den: '3' },
      { weight: 'people' },
      { action: 'disclose' },
      { name: 'Super Majority' },
      { more: 1 },
    ]) {
      assert.equal(milestoneShape.safeParse({ ...milestone, ...flaw }).success, false);
    }
  });
});
