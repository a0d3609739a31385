import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { openLogRunner } from '../../server/jobs/log-runner.ts';
import { LogStateError } from '../../server/services/log/recover.ts';
import { LogAheadError } from '../../server/services/log/witnesses.ts';
import type { Sequencer } from '../../server/services/log/sequencer.ts';

/** A sequencer that stops at its n-th run, as a full disk would make it. */
function failingOn(run: number, size: number, error = new Error('disk full')): Sequencer {
  let runs = 0;
  return {
    checkpoint: () => ({ origin: 'x', size, root: new Uint8Array(32) }),
    sequenceOnce() {
      runs += 1;
      return runs >= run ? Promise.reject(error) : Promise.resolve(undefined);
    },
    sequenceAll: () => Promise.resolve(),
    run: () => Promise.resolve(),
  };
}

const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe('the log runner', () => {
  /** Lets `turns` waits pass, then aborts. */
  const clockFor = (turns: number, stop: AbortController) => ({
    now: () => 0,
    wait: (): Promise<void> => {
      turns -= 1;
      if (turns <= 0) stop.abort();
      return Promise.resolve();
    },
  });

  it('opens the log again after it has stopped, and goes on', async () => {
    const stop = new AbortController();
    const sizes: number[] = [];
    const sequencers = [failingOn(2, 10), failingOn(99, 20)];
    let opened = 0;
    const runner = await openLogRunner({
      open: () => Promise.resolve(sequencers[opened++] ?? failingOn(1, 0)),
      afterRun: (size) => {
        sizes.push(size);
        return Promise.resolve();
      },
      clock: clockFor(6, stop),
      logger,
    });
    await runner.run(1000, stop.signal);
    assert.equal(opened, 2);
    assert.deepEqual([...new Set(sizes)], [10, 20]);
    assert.equal(runner.size(), 20);
  });

  it('keeps trying while the log cannot be opened', async () => {
    const stop = new AbortController();
    let opened = 0;
    const runner = await openLogRunner({
      open: () => {
        opened += 1;
        if (opened === 2) return Promise.reject(new Error('still full'));
        return Promise.resolve(failingOn(opened === 1 ? 1 : 99, opened));
      },
      afterRun: () => Promise.resolve(),
      clock: clockFor(8, stop),
      logger,
    });
    await runner.run(1000, stop.signal);
    assert.ok(opened >= 3);
    assert.equal(runner.size(), 3);
  });

  it('gives up when what is on disk contradicts itself', async () => {
    const stop = new AbortController();
    let opened = 0;
    const runner = await openLogRunner({
      open: () => {
        opened += 1;
        if (opened > 1) return Promise.reject(new LogStateError('a tile is missing'));
        return Promise.resolve(failingOn(1, 1));
      },
      afterRun: () => Promise.resolve(),
      clock: clockFor(8, stop),
      logger,
    });
    await assert.rejects(runner.run(1000, stop.signal), LogStateError);
  });

  it('signs nothing more, and says so again and again, once a witness knows more', async () => {
    const stop = new AbortController();
    const alarms: object[] = [];
    let opened = 0;
    const runner = await openLogRunner({
      open: () => {
        opened += 1;
        return Promise.resolve(failingOn(1, 7, new LogAheadError('a witness has 9 leaves')));
      },
      afterRun: () => Promise.resolve(),
      clock: clockFor(4, stop),
      logger: { ...logger, error: (fields) => alarms.push(fields) },
    });
    await runner.run(1000, stop.signal);
    assert.equal(opened, 1);
    assert.equal(runner.size(), 7, 'what is published can still be read');
    assert.ok(alarms.length >= 2);
    assert.ok(alarms.every((fields) => 'code' in fields && fields.code === 'log_ahead'));
  });
});
