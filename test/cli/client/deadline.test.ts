import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startDeadline } from '../../../cli/client/deadline.ts';

describe('a deadline', () => {
  it('ends a transfer that stands still, not one that keeps going', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const deadline = startDeadline(new AbortController().signal, 100_000, 1_000);
    for (let i = 0; i < 50; i += 1) {
      t.mock.timers.tick(900);
      deadline.touch();
    }
    assert.equal(deadline.signal.aborted, false);
    t.mock.timers.tick(1_001);
    assert.equal(deadline.signal.aborted, true);
    assert.equal(deadline.isTimedOut(), true);
  });

  it('ends even one that trickles for ever', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const deadline = startDeadline(new AbortController().signal, 100_000, 1_000);
    for (let i = 0; i < 111; i += 1) {
      t.mock.timers.tick(900);
      deadline.touch();
    }
    assert.equal(deadline.isTimedOut(), false);
    t.mock.timers.tick(900);
    assert.equal(deadline.isTimedOut(), true);
  });

  it('is no timeout when the person ends it, and nothing once it is over', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const interrupt = new AbortController();
    const interrupted = startDeadline(interrupt.signal, 10_000, 1_000);
    const over = startDeadline(interrupt.signal, 10_000, 1_000);
    over.clear();
    over.touch();
    interrupt.abort();
    assert.deepEqual([interrupted.signal.aborted, interrupted.isTimedOut()], [true, false]);
    t.mock.timers.tick(20_000);
    assert.deepEqual([over.signal.aborted, over.isTimedOut()], [false, false]);
  });
});
