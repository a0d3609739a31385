import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { isSettled } from '../../../cli/record/read-openings.ts';
import type { Leaf } from '../../../protocol/log/leaf.ts';

const sealed: Leaf = { type: 'sealed', sha256: '0'.repeat(64) };
const snapshot: Leaf = { type: 'snapshot', sha256: '0'.repeat(64) };
const dummies = (first: number, last: number): Leaf => ({ type: 'dummy', first, last });

describe('a disclosure', () => {
  const before: readonly Leaf[] = [sealed, sealed, snapshot, sealed, sealed];
  const settled = (...accounts: readonly Leaf[]): boolean =>
    isSettled([...before, ...accounts], before.length);

  it('is settled once every leaf sealed before it is accounted for, by itself or in a span', () => {
    assert.equal(settled(dummies(0, 1), { type: 'opened', index: 3 }, dummies(4, 4)), true);
    assert.equal(
      settled(dummies(3, 4), { type: 'withheld', first: 0, last: 1, reason: 'other' }),
      true,
    );
  });

  it('is not settled as long as one is left, wherever spans begin and end', () => {
    assert.equal(settled(), false);
    assert.equal(settled(dummies(0, 0), dummies(3, 4)), false);
    assert.equal(settled(dummies(1, 4)), false);
    assert.equal(settled(dummies(0, 1), dummies(4, 4)), false);
    assert.equal(settled(dummies(5, 9)), false);
  });

  it('is decided at once, however many spans of a hostile log overlap', () => {
    const size = 100_000;
    const wide = Array.from({ length: size }, () => dummies(1, 2 ** 50));
    const leaves = [...Array<Leaf>(size).fill(sealed), ...wide];
    assert.equal(isSettled(leaves, size), false);
    assert.equal(isSettled([...leaves, { type: 'opened', index: 0 }], size), true);
  });
});
