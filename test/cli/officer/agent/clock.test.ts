import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { describeClock, medianReading, readClocks } from '../../../../cli/officer/agent/clock.ts';
import { testContext } from '../../support/context.ts';
import { listen } from '../../support/static-server.ts';

const telling = (ms: number) =>
  listen((_, response) => {
    response.sendDate = false;
    response.writeHead(404, { date: new Date(Date.now() + ms).toUTCString() }).end();
  });

describe('the clock of an agent', () => {
  it('is compared with any server that answers, whatever it answers', async () => {
    await using context = await testContext({ now: Date.now });
    await using right = await telling(0);
    await using slow = await telling(-60_000);
    await using silent = await listen((_, response) => {
      response.sendDate = false;
      response.end();
    });
    const sources = [right.url, slow.url, silent.url, 'http://127.0.0.1:9/'];
    const readings = await readClocks(context, sources);
    assert.deepEqual(
      readings.map(({ source }) => source),
      [right.url, slow.url],
    );
    for (const [i, offset] of [0, 60_000].entries()) {
      const { aheadMs, uncertaintyMs } = readings[i] ?? assert.fail();
      assert.ok(Math.abs(aheadMs - offset) <= uncertaintyMs + 100, `${aheadMs}`);
      assert.ok(uncertaintyMs >= 500 && uncertaintyMs < 2_000);
    }
  });

  it('is not believed to be off because one of three sources says so', () => {
    const reading = (aheadMs: number) => ({ source: '', aheadMs, uncertaintyMs: 600 });
    const middle = medianReading([reading(-3_600_000), reading(100), reading(300)]);
    assert.equal(middle?.aheadMs, 100);
    assert.equal(describeClock(reading(100), 3).isOff, false);
    assert.equal(describeClock(reading(2_600), 3).isOff, false);
    assert.equal(describeClock(reading(2_601), 3).isOff, true);
    assert.equal(describeClock(reading(-2_601), 3).isOff, true);
    assert.match(describeClock(reading(-35_000), 3).text, /35\.0 s behind the middle one of 3/);
    assert.equal(medianReading([]), undefined);
  });
});
