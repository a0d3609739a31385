import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';

import { utf8Encode } from '../../protocol/encoding/bytes.ts';
import type { TestOperator } from '../support/operators.ts';
import type { Answer, RequestBody } from '../support/session.ts';
import { envelopeJson, problemOf } from '../support/story.ts';
import type { World } from '../support/world.ts';
import { openWorld } from '../support/world.ts';

const CANARY = 'CANARY-7b1e5c';

describe('input that is not what a route expects', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
    await world.story.arm();
  });
  after(() => world.close());

  /** Routes with a JSON body, each with somebody who may use it and a body that it accepts. */
  const routes = (): { path: string; body: unknown; as: 'public' | 'officer' | 'operator' }[] => {
    const { story } = world;
    const operator = (index: number): TestOperator => world.operator(index);
    const envelope = envelopeJson(story.statement(operator(0), 'ack'));
    const contact = { email: 'a@b.example', openpgp: operator(0).openpgp.publicKey };
    return [
      { path: '/v1/auth/challenge', body: { publicKey: operator(0).key.publicKey }, as: 'public' },
      { path: '/v1/auth/token', body: { publicKey: operator(0).key.publicKey }, as: 'public' },
      { path: '/v1/enrolments', body: { envelope, contact }, as: 'public' },
      { path: '/v1/campaigns', body: { plan: 'AAAA', custody: [] }, as: 'officer' },
      { path: `${story.path}/directives`, body: { envelope }, as: 'officer' },
      { path: `${story.path}/statements`, body: { envelope }, as: 'operator' },
      { path: `${story.path}/shares`, body: { envelope }, as: 'officer' },
      { path: `${story.path}/release-key`, body: { envelope }, as: 'officer' },
      { path: `${story.path}/messages`, body: { messages: [] }, as: 'officer' },
    ];
  };

  const send = (
    { path, as }: { path: string; as: 'public' | 'officer' | 'operator' },
    body: RequestBody,
  ): Promise<Answer> => {
    const { server } = world;
    const key = {
      public: undefined,
      officer: world.officer(0).signing,
      operator: world.operator(0).key,
    }[as];
    return server.client(key).request('POST', path, body);
  };

  const isUntouched = (answer: Answer): void => {
    assert.equal(answer.text().includes(CANARY), false, 'the answer quotes the request');
    assert.equal(JSON.stringify(world.server.logged).includes(CANARY), false, 'the log quotes it');
  };

  it('is refused when it is not JSON, and quoted neither in the answer nor in the log', async () => {
    const bodies: Record<string, Uint8Array> = {
      malformed: utf8Encode(`{"a": "${CANARY}`),
      'not JSON at all': utf8Encode(CANARY),
      'a member twice': utf8Encode(`{"${CANARY}":1,"${CANARY}":2}`),
      'a number that would be rounded': utf8Encode(`{"${CANARY}":9007199254740993}`),
      'nested deeply': utf8Encode('['.repeat(80_000 / 40)),
      prototype: utf8Encode(`{"__proto__":{"${CANARY}":1}}`),
      'not UTF-8': Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d),
      'UTF-16': new Uint8Array(Buffer.from(`{"a":"${CANARY}"}`, 'utf16le')),
      'a lone surrogate': utf8Encode('{"a":"\\ud800"}'),
      'a literal': utf8Encode(`"${CANARY}"`),
      nothing: new Uint8Array(),
      'an array': utf8Encode(`["${CANARY}"]`),
    };
    for (const route of routes()) {
      for (const [name, bytes] of Object.entries(bodies)) {
        const answer = await send(route, { bytes, type: 'application/json' });
        const expected = name === 'nothing' ? [400, 415] : [400, 413];
        assert.ok(expected.includes(answer.status), `${route.path}: ${name}: ${answer.status}`);
        isUntouched(answer);
      }
    }
  });

  it('is refused with an unknown member anywhere, and when one is missing', async () => {
    for (const route of routes()) {
      const extra = { ...(route.body as object), [CANARY]: CANARY };
      const answer = await send(route, { json: extra });
      assert.deepEqual(problemOf(answer), { status: 400, type: 'request_invalid' }, route.path);
      isUntouched(answer);
      assert.equal((await send(route, { json: {} })).status, 400, route.path);
      assert.equal((await send(route, { json: { constructor: 1 } })).status, 400, route.path);
    }
    const envelope = envelopeJson(world.story.statement(world.operator(0), 'ack')) as object;
    const nested = await send(
      { path: `${world.story.path}/statements`, as: 'operator' },
      { json: { envelope: { ...envelope, [CANARY]: 1 } } },
    );
    assert.equal(nested.status, 400);
    isUntouched(nested);
  });

  it('is refused when it is of another type, compressed, or too long', async () => {
    for (const route of routes()) {
      const json = utf8Encode(JSON.stringify(route.body));
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data',
      ]) {
        const answer = await send(route, { bytes: json, type });
        assert.deepEqual(
          problemOf(answer),
          { status: 415, type: 'unsupported_media_type' },
          `${route.path}: ${type}`,
        );
      }
      const bomb = new Uint8Array(gzipSync(Buffer.alloc(5_000_000, 'x')));
      const compressed = await send(route, {
        bytes: bomb,
        type: 'application/json',
        headers: { 'content-encoding': 'gzip' },
      });
      assert.equal(compressed.status, 415, route.path);
    }
    const long = await send(
      { path: '/v1/auth/challenge', as: 'public' },
      { bytes: utf8Encode(`"${'x'.repeat(10_000)}"`), type: 'application/json' },
    );
    assert.deepEqual(problemOf(long), { status: 413, type: 'payload_too_large' });
    const statement = await send(
      { path: `${world.story.path}/statements`, as: 'operator' },
      { bytes: new Uint8Array(300_000).fill(0x20), type: 'application/json' },
    );
    assert.deepEqual(problemOf(statement), { status: 413, type: 'payload_too_large' });
  });

  it('answers odd requests with a problem, and goes on', async () => {
    const anyone = world.server.client();
    const odd: [string, string, number][] = [
      ['GET', '/v1/campaigns/%', 400],
      ['GET', '/v1/campaigns/%00', 404],
      ['GET', '/v1/campaigns/..%2f..%2fetc%2fpasswd', 404],
      ['GET', '/v1/snapshots/..%2f..%2fkeys%2flog.seed', 404],
      ['GET', '/blobs/sha256/..%2f..%2f..%2fkeys%2flog.seed', 404],
      ['GET', '/tuf/..%2fkeys%2flog.seed', 401],
      ['GET', '/tuf/1.root.json%00', 401],
      ['GET', '/V1/campaigns', 404],
      ['GET', '/v1/campaigns/', 404],
      ['PATCH', '/v1/campaigns', 404],
      ['DELETE', '/v1/campaigns/x', 404],
      ['GET', '/', 404],
      ['GET', `/${'a'.repeat(8000)}`, 404],
    ];
    for (const [method, path, status] of odd) {
      const answer = await anyone.request(method, path);
      assert.equal(answer.status, status, `${method} ${path}: ${answer.text()}`);
      assert.equal(answer.headers.get('content-type'), 'application/problem+json');
      assert.equal(answer.headers.get('x-powered-by'), null);
    }
    const asOfficer = world.server.client(world.officer(0).signing);
    const path = '/tuf/..%2fkeys%2flog.seed';
    assert.equal((await asOfficer.get(path)).status, 404);
    for (const after of ['x', '-1', '1e3', '1.5', '0x10', '99999999999999999999', '']) {
      const answer = await asOfficer.get(`${world.story.path}/events?after=${after}`);
      assert.equal(answer.status, 400, after);
    }
    assert.equal((await asOfficer.get(`${world.story.path}/events?after=1&after=2`)).status, 400);
    assert.equal((await anyone.get('/healthz')).status, 200);
  });

  it('survives what is no HTTP, or two requests in one', async () => {
    const { hostname, port } = new URL(world.server.url);
    const raw = (bytes: string): Promise<string> =>
      new Promise((resolve) => {
        let text = '';
        const socket = connect(Number(port), hostname, () => socket.write(bytes));
        socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        socket.on('close', () => {
          resolve(text);
        });
        socket.on('error', () => undefined);
      });
    const requests = [
      'POST /v1/auth/challenge HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'GET /healthz HTTP/1.1\r\nHost: x\r\nBad\rHeader: 1\r\n\r\n',
      'GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n',
      'GET /healthz HTTP/1.1\r\n\r\n',
      `GET /healthz HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`,
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
    ];
    for (const request of requests) {
      assert.match(await raw(request), /^(HTTP\/1\.1 4\d\d|$)/);
    }
    assert.equal((await world.server.client().get('/healthz')).status, 200);
  });

  it('costs a connection only when the rest of a body would have to be read', async () => {
    const { hostname, port } = new URL(world.server.url);
    const heads = async (request: string): Promise<string[]> => {
      const socket = connect(Number(port), hostname, () => socket.write(request));
      let text = '';
      for await (const chunk of socket.setEncoding('utf8')) {
        text += String(chunk);
        if (text.split('HTTP/1.1 ').length > 2) break;
      }
      return text.split('HTTP/1.1 ').slice(1);
    };
    const absent = 'GET /v1/absent HTTP/1.1\r\nHost: x\r\n\r\n';
    const [first = '', second = ''] = await heads(absent + absent);
    assert.match(first, /^404 /);
    assert.doesNotMatch(first, /^connection: close\r$/im);
    assert.match(second, /^404 /);
    const unread = 'POST /v1/absent HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n';
    assert.match((await heads(unread)).join(), /^connection: close\r$/im);
  });

  it('tells nobody where in the code something went wrong', () => {
    const internal = world.server.logged.filter(({ level }) => level === 'error');
    assert.deepEqual(internal, [], 'nothing above was an unexpected error');
  });
});
