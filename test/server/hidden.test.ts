import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';

import { makeOperator } from '../support/operators.ts';
import type { TestOperator } from '../support/operators.ts';
import type { Answer } from '../support/session.ts';
import { enrol, envelopeJson, expectStatus } from '../support/story.ts';
import type { World } from '../support/world.ts';
import { openWorld } from '../support/world.ts';

/** Everything below a campaign that can be asked for. */
const PATHS = [
  '',
  '/plan',
  '/snapshot',
  '/signatures',
  '/directives',
  '/statements',
  '/shares',
  '/release-key',
  '/tally',
  '/events',
  '/documents/notice.txt',
  '/documents/COMMITMENT',
  '/closing-key',
  '/openings',
];

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

  const compare = async (ask: (id: string) => Promise<Answer>, what: string): Promise<void> => {
    const hidden = await ask(world.story.sealed.id);
    const absent = await ask(unknown);
    assert.equal(absent.status, 404, what);
    assert.deepEqual(essence(hidden), essence(absent), what);
  };

  const compareAll = async (): Promise<void> => {
    const { server } = world;
    for (const [who, client] of [
      ['the public', server.client()],
      ['an operator', server.client(outsider.key)],
    ] as const) {
      for (const path of PATHS) {
        for (const query of ['', '?after=0', '?after=x']) {
          const ask = (id: string): Promise<Answer> =>
            client.get(`/v1/campaigns/${id}${path}${query}`);
          await compare(ask, `${who}: ${path}${query}`);
        }
      }
    }
    const envelope = envelopeJson(world.story.statement(outsider, 'ack'));
    await compare(
      (id) => server.client(outsider.key).post(`/v1/campaigns/${id}/statements`, { envelope }),
      'a statement',
    );
  };

  it('answers, while it is a draft, exactly as one that does not exist', compareAll);

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

  it('keeps its ciphertext as hidden as itself', async () => {
    const { server, story } = world;
    const absent = 'ab'.repeat(32);
    for (const client of [server.client(), server.client(outsider.key)]) {
      for (const { sha256 } of [story.sealed.bundle, story.sealed.closing]) {
        const hidden = await client.get(`/blobs/sha256/${sha256}`);
        assert.deepEqual(essence(hidden), essence(await client.get(`/blobs/sha256/${absent}`)));
      }
    }
  });

  it('is told apart from an unknown one by none of the officers’ routes either', async () => {
    const { server } = world;
    const asOperator = server.client(outsider.key);
    for (const path of ['/custody', '/messages', '/contacts']) {
      for (const client of [server.client(), asOperator]) {
        const hidden = await client.get(`${world.story.path}${path}`);
        const absent = await client.get(`/v1/campaigns/${unknown}${path}`);
        assert.ok(hidden.status === 401 || hidden.status === 403);
        assert.deepEqual(essence(hidden), essence(absent));
      }
    }
    for (const path of ['/directives', '/shares', '/release-key', '/messages']) {
      const hidden = await asOperator.post(`${world.story.path}${path}`, {});
      const absent = await asOperator.post(`/v1/campaigns/${unknown}${path}`, {});
      assert.equal(hidden.status, 403);
      assert.deepEqual(essence(hidden), essence(absent));
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
