import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';

import { makeOperator } from '../support/operators.ts';
import type { TestOperator } from '../support/operators.ts';
import { CAMPAIGN_PATHS } from '../leak-audit/campaign-paths.ts';
import type { Answer, RequestBody, TestClient } from '../support/session.ts';
import { enrol, envelopeJson, expectStatus } from '../support/story.ts';
import type { World } from '../support/world.ts';
import { openWorld } from '../support/world.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
/** Other ways to ask for the same, or for a part of it. */
const QUERIES = ['', '?after=0', '?after=x', `?plan=${'ab'.repeat(32)}`];

describe('a hidden campaign', () => {
  let world: World;
  let outsider: TestOperator;
  const unknown = 'SDX-2026-ZZZZ';

  before(async () => {
    world = await openWorld();
    outsider = world.operator(3);
  });
  after(() => world.close());

  /** What distinguishes an answer, the time of day aside. */
  const essence = (answer: Answer): unknown => ({
    status: answer.status,
    headers: [...answer.headers].filter(([name]) => name !== 'date'),
    body: answer.text(),
  });

  const compare = async (
    ask: (id: string) => Promise<Answer>,
    what: string,
    statuses: readonly number[] = [404],
  ): Promise<void> => {
    const hidden = await ask(world.story.sealed.id);
    const absent = await ask(unknown);
    assert.ok(statuses.includes(absent.status), `${what}: ${absent.status}`);
    assert.deepEqual(essence(hidden), essence(absent), what);
  };
  const isForOfficers = (path: string): boolean => /^\/(?:custody|messages|contacts)$/.test(path);

  /** The public, and an operator who is enrolled and has not been written to. */
  const callers = (): readonly (readonly [string, TestClient])[] => [
    ['the public', world.server.client()],
    ['an operator', world.server.client(outsider.key)],
  ];

  const compareAll = async (queries = ['']): Promise<void> => {
    for (const [who, client] of callers()) {
      for (const path of CAMPAIGN_PATHS) {
        for (const query of queries) {
          const ask = (id: string): Promise<Answer> =>
            client.get(`/v1/campaigns/${id}${path}${query}`);
          await compare(ask, `${who}: ${path}${query}`, isForOfficers(path) ? [401, 403] : [404]);
        }
      }
    }
  };

  it('answers, while it is a draft, exactly as one that does not exist', () => compareAll(QUERIES));

  it('has a commitment that is unknown until it is made', async () => {
    const path = (hex: string): string => `/v1/commitments/${hex}`;
    for (const [, client] of callers()) {
      const hidden = await client.get(path(world.story.sealed.plan.commitment));
      assert.equal(hidden.status, 404);
      assert.deepEqual(essence(hidden), essence(await client.get(path('ab'.repeat(32)))));
    }
  });

  it('still does so once it is committed', async () => {
    await world.story.uploadCiphertext();
    await world.story.decide('commit');
    await world.story.putSignatures();
    await compareAll();
  });

  it('shows itself to those who have been written to, and to nobody else', async () => {
    const { server, story } = world;
    await story.decide('notify');
    expectStatus(await story.notice(world.operator(0)), 200);
    expectStatus(await server.client(world.operator(0).key).get(story.path), 200);
    await compareAll();
    const inbox = await server.client(outsider.key).get('/v1/inbox');
    assert.deepEqual(inbox.json(), { campaigns: [] });
  });

  it('answers every method, at every path, as an unknown one does', async () => {
    const envelope = envelopeJson(world.story.statement(outsider, 'ack'));
    const bodies: Record<string, RequestBody> = {
      POST: { json: { envelope } },
      PUT: { bytes: new Uint8Array(10) },
    };
    for (const [who, client] of callers()) {
      for (const path of [...CAMPAIGN_PATHS, '/', '/nothing', '/plan/', '/../campaigns']) {
        for (const method of METHODS) {
          const ask = (id: string): Promise<Answer> =>
            client.request(method, `/v1/campaigns/${id}${path}`, bodies[method]);
          // What a route allows, and whom, is decided before any campaign is looked for.
          await compare(ask, `${who}: ${method} ${path}`, [200, 401, 403, 404]);
        }
      }
      for (const spell of [
        (id: string) => id.toLowerCase(),
        (id: string) => id.replace('S', '%53'),
        (id: string) => `${id}%00`,
      ]) {
        await compare((id) => client.get(`/v1/campaigns/${spell(id)}`), `${who}: ${spell('SDX')}`);
      }
    }
    for (const json of [{}, { envelope: 1 }, { envelope, more: 1 }]) {
      const path = (id: string): string => `/v1/campaigns/${id}/statements`;
      await compare((id) => world.server.client(outsider.key).post(path(id), json), 'a statement');
    }
  });

  it('keeps its ciphertext, its plan and its list of targets as hidden as itself', async () => {
    const { story } = world;
    const absent = 'ab'.repeat(32);
    const same = async (client: TestClient, path: (what: string) => string, what: string) => {
      for (const method of ['GET', 'HEAD', 'PUT']) {
        for (const headers of [{}, { range: 'bytes=0-9' }, { 'if-none-match': `"${what}"` }]) {
          const hidden = await client.request(method, path(what), { headers });
          const other = await client.request(method, path(absent), { headers });
          assert.ok([401, 403, 404].includes(other.status), `${method} ${other.status}`);
          assert.deepEqual(essence(hidden), essence(other), `${method} ${path(what)}`);
        }
      }
    };
    for (const [, client] of callers()) {
      const { bundle, closing, planDigest } = story.sealed;
      for (const sha256 of [bundle.sha256, closing.sha256, planDigest]) {
        await same(client, (it) => `/blobs/sha256/${it}`, sha256);
        await same(client, (it) => `/v1/snapshots/${it}`, sha256);
        await same(client, (it) => `/v1/commitments/${it}`, sha256);
      }
      const [next, later] = ['/tuf/2.targets.json', '/tuf/9.targets.json'];
      assert.deepEqual(essence(await client.get(next)), essence(await client.get(later)));
    }
  });

  it('answers the same bytes on the wire', async () => {
    const { hostname, port } = new URL(world.server.url);
    const raw = (id: string): Promise<string> =>
      new Promise((resolve, reject) => {
        let text = '';
        const socket = connect(Number(port), hostname, () => {
          socket.end(`GET /v1/campaigns/${id} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
        });
        socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        socket.on('end', () => {
          resolve(text.replace(/^Date: .*\r\n/m, ''));
        });
        socket.on('error', reject);
      });
    assert.equal(await raw(world.story.sealed.id), await raw(unknown));
  });

  it('opens to every operator once armed, and to the public only when disclosed', async () => {
    const { server, story } = world;
    await story.decide('arm');
    for (const path of ['', '/plan', '/directives', '/tally', '/events']) {
      expectStatus(await server.client(outsider.key).get(`${story.path}${path}`), 200);
      expectStatus(await server.client().get(`${story.path}${path}`), 404);
    }
    const late = await makeOperator(outsider.validators);
    expectStatus(await enrol(server, late), 200);
    expectStatus(await server.client(late.key).get(story.path), 200);
  });

  it('leaves no gap in what others can number', async () => {
    const other = await world.another();
    const answer = await world.server.client(world.officer(0).signing).get(`${other.path}/events`);
    const { events } = answer.json<{ events: { seq: number }[] }>();
    assert.deepEqual(
      events.map(({ seq }) => seq),
      [1],
    );
  });
});
