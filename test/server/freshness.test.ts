import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { formatTime, parseTime } from '../../protocol/encoding/time.ts';
import { timestampLifetimeMs } from '../../server/services/trust/freshness.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../support/clock.ts';
import { expectStatus } from '../support/story.ts';
import { openWorld, type World } from '../support/world.ts';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const at = (ms: number, status: 'armed' | 'released' | 'notified' | 'disclosed' = 'armed') => ({
  status,
  releaseTime: formatTime(NOW + ms),
});

describe('the life of a timestamp', () => {
  it('is hours while nothing is armed', () => {
    assert.equal(timestampLifetimeMs([], NOW), 6 * HOUR_MS);
    for (const status of ['notified', 'disclosed'] as const) {
      assert.equal(timestampLifetimeMs([at(0, status)], NOW), 6 * HOUR_MS);
    }
  });

  it('ends at a T0 that is near, and is ten minutes from then on for a day', () => {
    assert.equal(timestampLifetimeMs([at(DAY_MS)], NOW), 6 * HOUR_MS);
    assert.equal(timestampLifetimeMs([at(HOUR_MS)], NOW), HOUR_MS);
    for (const ms of [5 * MINUTE_MS, 0, -HOUR_MS, -DAY_MS + 1000]) {
      assert.equal(timestampLifetimeMs([at(ms)], NOW), 10 * MINUTE_MS, String(ms));
      assert.equal(timestampLifetimeMs([at(ms, 'released')], NOW), 10 * MINUTE_MS);
    }
    assert.equal(timestampLifetimeMs([at(-DAY_MS)], NOW), 6 * HOUR_MS);
  });

  it('is that of the nearest of several', () => {
    assert.equal(timestampLifetimeMs([at(3 * HOUR_MS), at(HOUR_MS), at(DAY_MS)], NOW), HOUR_MS);
  });
});

describe('a real server around T0', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
  });
  after(() => world.close());

  const timestamp = async (): Promise<{ version: number; left: number }> => {
    const answer = await world.server.client(world.operator(0).key).get('/tuf/timestamp.json');
    const { signed } = expectStatus(answer, 200).json<{
      signed: { version: number; expires: string };
    }>();
    return { version: signed.version, left: parseTime(signed.expires) - world.clock.now() };
  };

  it('hands out no timestamp that outlives T0 by more than ten minutes', async () => {
    const calm = await timestamp();
    assert.ok(calm.left > 3 * HOUR_MS);
    await world.story.arm();
    const releaseTime = parseTime(world.story.sealed.plan.releaseTime);
    let last = await timestamp();
    assert.equal(last.left, releaseTime - world.clock.now(), 'renewed as soon as it is armed');
    assert.ok(last.version > calm.version);
    while (world.clock.now() < releaseTime + HOUR_MS) {
      world.clock.advance(7 * MINUTE_MS);
      const next = await timestamp();
      const left = Math.max(releaseTime - world.clock.now(), 10 * MINUTE_MS);
      assert.ok(next.left > 0 && next.left <= left, `${next.left} of ${left}`);
      assert.ok(next.version >= last.version);
      last = next;
    }
  });
});
