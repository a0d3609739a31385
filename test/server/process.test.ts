import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { serverCard } from '../../protocol/api/card.ts';
import { runServer, startChild } from '../support/child-server.ts';
import { makeOfficers } from '../support/officers.ts';
import type { TestOfficer } from '../support/officers.ts';
import { testClient } from '../support/session.ts';
import type { TestData } from '../support/test-server.ts';
import { prepareData } from '../support/test-server.ts';

describe('the server as a process', () => {
  let officers: TestOfficer[];
  let data: TestData;

  before(async () => {
    officers = await makeOfficers();
    data = await prepareData({ officers });
  });
  after(() => data.remove());

  it('prints its card, the same one again, and keeps its keys to itself', async () => {
    const first = await runServer(['card'], data.env());
    assert.equal(first.code, 0, first.stderr);
    const card = serverCard.parse(JSON.parse(first.stdout));
    assert.equal(card.origin, 'sealdrop.test/log');
    const second = await runServer(['card'], data.env());
    assert.equal(second.stdout, first.stdout);
    for (const name of ['log', 'snapshot', 'timestamp', 'token']) {
      const { mode } = await stat(join(data.dataDirectory, 'keys', `${name}.seed`));
      assert.equal(mode & 0o777, 0o600, name);
    }
  });

  it('lists every mistake in its environment at once, without values', async () => {
    const { code, stderr } = await runServer([], {
      SEALDROP_PORT: 'eighty',
      SEALDROP_SMTP_URL: 'http://user:hunter2@mail.example',
      SEALDROP_FLUSHMS: '2',
    });
    assert.equal(code, 1);
    for (const name of ['DATA', 'PORT', 'SMTP_URL', 'FLUSHMS', 'MAIL_FROM']) {
      assert.match(stderr, new RegExp(`SEALDROP_${name}`), name);
    }
    assert.doesNotMatch(stderr, /hunter2|eighty/);
  });

  it('refuses a data directory that is not there instead of beginning a new log', async () => {
    const missing = join(data.dataDirectory, 'mistyped');
    const { code, stderr } = await runServer([], data.env({ DATA: missing }));
    assert.equal(code, 1);
    assert.match(stderr, /no directory/);
    await assert.rejects(stat(missing), { code: 'ENOENT' });
  });

  it('says in one line that its port is taken or its root not there', async () => {
    const first = await startChild(data.env());
    const { port } = new URL(first.url);
    const other = await prepareData({ officers });
    const taken = await runServer([], other.env({ PORT: port }));
    const absent = await runServer([], other.env({ ROOT: '/nowhere/root.json' }));
    await other.remove();
    assert.equal(await first.end('SIGTERM'), 0);
    for (const { code, stderr } of [taken, absent]) {
      assert.equal(code, 1);
      assert.match(stderr, /^cannot start: .*\n$/);
    }
  });

  it('refuses to run beside another process on the same data', async () => {
    const first = await startChild(data.env());
    const second = await runServer([], data.env());
    assert.equal(second.code, 1);
    assert.match(second.stderr, /another process/);
    assert.equal(second.stderr.trim().split('\n').length, 1);
    assert.equal(await first.end('SIGTERM'), 0);
  });

  it('drops the lock with the process, however that ends', async () => {
    const first = await startChild(data.env());
    assert.equal(await first.end('SIGKILL'), 'SIGKILL');
    const second = await startChild(data.env());
    assert.equal((await fetch(`${second.url}/healthz`)).status, 200);
    assert.equal(await second.end('SIGINT'), 0);
  });

  it('refuses to run on a database that is damaged, and does not touch it', async () => {
    const other = await prepareData({ officers });
    const server = await startChild(other.env());
    assert.equal(await server.end('SIGTERM'), 0);
    const path = join(other.dataDirectory, 'sealdrop.sqlite');
    const bytes = await readFile(path);
    // Past the header: the file still is a database, but not a sound one.
    const damaged = Buffer.from(bytes).fill(0x5a, 4096 * 3, 4096 * 8);
    for (const content of [damaged, Buffer.alloc(8192, 0x5a)]) {
      await writeFile(path, content);
      const { code, stderr } = await runServer([], other.env());
      assert.equal(code, 1);
      assert.match(stderr, /damaged|malformed|not a database/);
      assert.equal(stderr.trim().split('\n').length, 1);
      assert.deepEqual(await readFile(path), content);
    }
    await other.remove();
  });

  it('refuses a root of trust that names another server', async () => {
    const other = await prepareData({ officers });
    const { code, stderr } = await runServer([], data.env({ ROOT: other.rootFile }));
    await other.remove();
    assert.equal(code, 1);
    assert.match(stderr, /differs from the one in use|another server/);
  });

  it('logs neither tokens nor proofs nor bodies', async () => {
    const server = await startChild(data.env({ LOG_LEVEL: 'debug' }));
    const [officer] = officers;
    assert.ok(officer);
    const client = testClient(server.url, officer.signing, Date.now);
    const token = await client.token();
    assert.equal((await client.get('/v1/campaigns')).status, 200);
    const canary = 'CANARY-4f1d9a';
    await client.post('/v1/campaigns', { plan: canary, custody: canary });
    await client.get(`/v1/campaigns/${canary}?after=${canary}`);
    assert.equal(await server.end('SIGTERM'), 0);
    const log = server.output.join('\n');
    assert.match(log, /\/v1\/campaigns/);
    assert.equal(log.includes(token), false);
    assert.doesNotMatch(log, /dpop\+jwt|eyJ/);
    assert.equal(log.split(canary).length - 1, 1, 'only as the path that was asked for');
  });
});
