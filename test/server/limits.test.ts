import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { describe, it } from 'node:test';

import express from 'express';
import fc from 'fast-check';

import { allowUpload, bodyDeadline } from '../../server/http/deadline.ts';
import { addressOf, rateLimit } from '../../server/http/rate-limit.ts';
import { replays } from '../../server/services/session/replays.ts';
import { testClock } from '../support/clock.ts';

describe('a rate limit', () => {
  it('never lets more through than burst and rate allow (property)', () => {
    const steps = fc.array(fc.nat({ max: 3000 }), { maxLength: 200 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 20 }), (gaps, perSecond) => {
        const clock = testClock();
        const burst = perSecond * 2;
        const limit = rateLimit({ perSecond, burst }, clock.now);
        let passed = 0;
        let elapsedMs = 0;
        for (const gap of gaps) {
          clock.advance(gap);
          elapsedMs += gap;
          try {
            limit.take('x');
            passed += 1;
          } catch {
            // Refused, as it should be now and then.
          }
        }
        assert.ok(passed <= burst + (elapsedMs / 1000) * perSecond + 1e-6);
      }),
    );
  });

  it('does not fill up when the clock goes back', () => {
    const clock = testClock();
    const limit = rateLimit({ perSecond: 1, burst: 1 }, clock.now);
    limit.take('x');
    clock.advance(-3_600_000);
    assert.throws(
      () => {
        limit.take('x');
      },
      { code: 'too_many_requests' },
    );
  });

  it('keeps a bounded number of buckets', () => {
    const clock = testClock();
    const limit = rateLimit({ perSecond: 1, burst: 1 }, clock.now);
    limit.take('first');
    for (let i = 0; i < 60_000; i++) limit.take(`other ${i}`);
    limit.take('first');
  });

  it('takes an IPv4 address whole and an IPv6 one by its /64', () => {
    const of = (remoteAddress: string): string => addressOf({ ip: remoteAddress });
    assert.equal(of('192.0.2.1'), '192.0.2.1');
    assert.equal(of('::ffff:192.0.2.1'), '192.0.2.1');
    assert.equal(of('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2');
    assert.equal(of('2001:db8:1:2::9'), '2001:db8:1:2');
    assert.equal(of('2001:db8::1'), '2001:db8:0:0');
    assert.equal(of('::1'), '0:0:0:0');
    assert.notEqual(of('2001:db8:1:3::1'), of('2001:db8:1:2::1'));
  });
});

describe('the memory of proofs', () => {
  it('is bounded per identity and refuses rather than forgets', () => {
    const clock = testClock();
    const memory = replays(clock.now);
    for (let i = 0; i < 10_000; i++) memory.remember('alice', `proof-${i}`);
    assert.throws(
      () => {
        memory.remember('alice', 'one-more');
      },
      { code: 'too_many_requests' },
    );
    memory.remember('bob', 'proof-0');
    assert.throws(
      () => {
        memory.remember('alice', 'proof-0');
      },
      { code: 'login_required' },
    );
    clock.advance(121_000);
    memory.remember('alice', 'one-more');
  });

  it('forgets what cannot be repeated any more, though its identity never comes again', () => {
    const clock = testClock();
    const memory = replays(clock.now, { perIdentity: 10, together: 100 });
    const fill = (): void => {
      for (let i = 0; i < 100; i++) memory.remember(`identity ${i % 10}`, `proof-${i}`);
    };
    const late = (): void => {
      memory.remember('late', 'proof');
    };
    fill();
    assert.throws(late, { code: 'too_many_requests' });
    clock.advance(60_000);
    assert.throws(fill, { code: 'login_required' });
    clock.advance(60_001);
    late();
    assert.throws(late, { code: 'login_required' });
  });
});

describe('a body', () => {
  const serve = async (): Promise<AsyncDisposable & { port: number }> => {
    const app = express();
    app.set('env', 'test');
    app.use(bodyDeadline(100));
    app.post('/upload', (req, res) => {
      allowUpload(req);
      req.resume().once('end', () => {
        res.end('ok');
      });
    });
    app.post('/', express.raw({ type: '*/*' }), (_req, res) => {
      res.end('ok');
    });
    const server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {
      port: (server.address() as AddressInfo).port,
      async [Symbol.asyncDispose]() {
        server.closeAllConnections();
        server.close();
        await once(server, 'close');
      },
    };
  };
  const head = (path: string): string =>
    `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\n`;

  it('that dribbles in is cut off', async () => {
    await using server = await serve();
    const socket = connect(server.port, '127.0.0.1');
    socket.write(`${head('/')}a`);
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    await once(socket, 'close');
    assert.equal(answer, '');
  });

  it('of an upload may take longer', async () => {
    await using server = await serve();
    const dribbling = connect(server.port, '127.0.0.1');
    const uploading = connect(server.port, '127.0.0.1');
    uploading.write(`${head('/upload')}a`);
    dribbling.write(`${head('/')}a`);
    // When the deadline has passed for the other one, it has for this one, too.
    dribbling.resume();
    await once(dribbling, 'close');
    let answer = '';
    uploading.setEncoding('utf8').on('data', (text: string) => (answer += text));
    uploading.write('bc');
    await once(uploading, 'close');
    assert.match(answer, /^HTTP\/1\.1 200 /);
  });
});
