import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { machineClocks, steadyClock } from '../../platform/steady-clock.ts';

const YEAR_MS = 31_536_000_000;

/** Clocks of a machine in which everything can be moved. */
function fakeMachine() {
  const state = { true: 1_800_000_000_000, offset: 0, slept: 0 };
  const jumps: number[] = [];
  const started = state.true;
  const now = steadyClock((by) => jumps.push(by), {
    wall: () => state.true + state.offset,
    monotonic: () => state.true - started - state.slept,
    sinceBoot: () => Math.floor((state.true - started) / 1000) * 1000 + 77_000,
  });
  return {
    jumps,
    now,
    state,
    pass(ms: number) {
      state.true += ms;
    },
    sleep(ms: number) {
      state.true += ms;
      state.slept += ms;
    },
  };
}

describe('steadyClock', () => {
  it('is the time of day while that behaves, also when it is slewed', () => {
    const machine = fakeMachine();
    for (let i = 0; i < 1000; i++) {
      machine.pass(60_000);
      machine.state.offset += i % 2 === 0 ? 400 : -200;
      assert.equal(machine.now(), machine.state.true + machine.state.offset);
    }
    assert.deepEqual(machine.jumps, []);
  });

  for (const by of [6_000, 3_600_000, YEAR_MS, -6_000, -3_600_000, -YEAR_MS]) {
    it(`goes on as before when the time of day jumps by ${by / 1000} s, and tells of it once`, () => {
      const machine = fakeMachine();
      machine.pass(10_000);
      machine.now();
      machine.state.offset = by;
      for (let i = 0; i < 5; i++) {
        machine.pass(1_000);
        assert.equal(machine.now(), machine.state.true);
      }
      assert.deepEqual(machine.jumps, [by]);
      machine.state.offset = 0;
      machine.pass(1_000);
      assert.equal(machine.now(), machine.state.true);
      assert.equal(machine.jumps.at(-1), 0);
    });
  }

  it('goes on when the time of day stands still', () => {
    const machine = fakeMachine();
    const frozen = machine.state.true;
    for (let i = 0; i < 60; i++) {
      machine.pass(1_000);
      machine.state.offset = frozen - machine.state.true;
      const behind = machine.state.true - machine.now();
      assert.ok(behind >= 0 && behind <= 200, `${behind}`);
    }
  });

  it('is right again after the machine has slept', () => {
    const machine = fakeMachine();
    machine.now();
    machine.sleep(7_200_000);
    assert.equal(machine.now(), machine.state.true);
    assert.deepEqual(machine.jumps, []);
  });

  it('is right a moment after a sleep that somebody hid by setting the time of day back', () => {
    const machine = fakeMachine();
    machine.now();
    machine.sleep(7_200_000);
    machine.state.offset = -7_200_000;
    machine.pass(20);
    assert.ok(Math.abs(machine.now() - machine.state.true) <= 1_000);
    assert.equal(machine.jumps.length, 1);
  });

  it('asks for the time since boot at most once in 20 ms while the other clocks agree', () => {
    let at = 1_800_000_000_000;
    let asked = 0;
    const now = steadyClock(() => assert.fail('nobody has moved the clock'), {
      wall: () => at,
      monotonic: () => at,
      sinceBoot: () => {
        asked++;
        return at;
      },
    });
    for (let last = now(); at < 1_800_000_001_000; at++) {
      const time = now();
      assert.ok(time >= last && at - time <= 1, `${at - time}`);
      last = time;
    }
    assert.equal(asked, 50);
  });

  it('never goes back and stays within seconds of the truth, whatever is done to it (property)', () => {
    const step = fc.record({
      passes: fc.oneof(fc.integer({ min: 0, max: 25 }), fc.integer({ min: 0, max: 600_000 })),
      offset: fc.option(fc.integer({ min: -YEAR_MS, max: YEAR_MS }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 500 }), (steps) => {
        const machine = fakeMachine();
        let last = machine.now();
        for (const { passes, offset } of steps) {
          machine.pass(passes);
          // Small offsets are slewing, which accumulates by design.
          if (offset === undefined || Math.abs(offset) > 20_000) machine.state.offset = offset ?? 0;
          const now = machine.now();
          assert.ok(now >= last);
          assert.ok(Math.abs(now - machine.state.true) <= 5_000);
          last = now;
        }
      }),
    );
  });

  it('is no earlier than what it told of a jump, whoever asks it then', () => {
    const machine = { true: 1_800_000_000_000, offset: 0 };
    const asked: number[] = [];
    const now = steadyClock(
      () => {
        // A line of a log, which has a time of its own.
        machine.true += 5;
        asked.push(now());
      },
      {
        wall: () => machine.true + machine.offset,
        monotonic: () => machine.true,
        sinceBoot: () => machine.true,
      },
    );
    machine.offset = YEAR_MS;
    machine.true += 1_000;
    assert.ok(now() >= (asked[0] ?? Number.POSITIVE_INFINITY));
    assert.equal(asked.length, 1);
  });

  it('agrees with the clocks of this machine', () => {
    const now = steadyClock(() => assert.fail('nobody has moved the clock'));
    assert.ok(Math.abs(now() - machineClocks.wall()) < 1_000);
  });
});
