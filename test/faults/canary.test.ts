import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { startChildStory, type ChildStory } from '../support/child-story.ts';
import { disguises } from '../support/disguises.ts';
import { startMailServer, type MailServer } from '../support/mail-server.ts';
import {
  makeOperator,
  makeValidator,
  snapshotOf,
  type TestOperator,
} from '../support/operators.ts';
import { canReadMemory, memoryOf } from '../support/process-memory.ts';
import { enrol, expectStatus, openStory, postSnapshot, type Story } from '../support/story.ts';

// A server that is seized at any moment before T0: disk, memory, logs, mails, and every answer it
// ever gave.

interface Canary {
  readonly name: string;
  readonly bytes: Buffer;
  readonly looks: readonly Buffer[];
}

function canary(name: string): Canary {
  const bytes = randomBytes(32);
  return { name, bytes, looks: disguises(bytes) };
}

const patch = canary('patch');
const notice = canary('notice');
const disclosure = canary('disclosure');
const embargoed = [patch, notice, disclosure];
/** Sent to the server on purpose, so that the hunt is seen to find what is there. */
const control = canary('control');

let mail: MailServer;
let server: ChildStory;
let story: Story;
let operators: readonly TestOperator[];
const answers: Buffer[] = [];
const realFetch = globalThis.fetch;

before(async () => {
  globalThis.fetch = async (...request) => {
    const response = await realFetch(...request);
    const head = [...response.headers].map((it) => it.join(': ')).join('\n');
    answers.push(Buffer.from(head), Buffer.from(await response.clone().arrayBuffer()));
    return response;
  };
  mail = await startMailServer();
  server = await startChildStory({
    SMTP_URL: mail.url,
    MAIL_FROM: 'notices@sealdrop.example',
    LOG_EPOCH_MS: '200',
  });
});
after(async () => {
  globalThis.fetch = realFetch;
  await server[Symbol.asyncDispose]();
  await mail.close();
});

function orGone(error: NodeJS.ErrnoException): Buffer {
  if (error.code === 'ENOENT') return Buffer.alloc(0);
  throw error;
}

/** Where a canary is found. */
async function hunt(canaries: readonly Canary[]): Promise<string[]> {
  const found = new Set<string>();
  const look = (place: string, bytes: Buffer): void => {
    for (const { name, looks } of canaries) {
      if (looks.some((it) => bytes.includes(it))) found.add(`${name} in ${place}`);
    }
  };
  const files = await readdir(server.data.dataDirectory, { recursive: true, withFileTypes: true });
  for (const file of files.filter((it) => it.isFile())) {
    // What is being replaced right now is found under its own name.
    const bytes = await readFile(join(file.parentPath, file.name)).catch(orGone);
    look('a file', bytes);
  }
  look('the log', Buffer.from(server.child.output.join('\n')));
  for (const { raw } of mail.received) look('a mail', Buffer.from(raw));
  for (const answer of answers) look('an answer', answer);
  if (canReadMemory) {
    for (const piece of memoryOf(server.child.process.pid ?? 0)) look('memory', piece);
  }
  return [...found].sort();
}

describe('a seized server', () => {
  it('knows each canary by at least twelve encodings', () => {
    for (const { looks } of embargoed) {
      assert.ok(new Set(looks.map((it) => it.toString('latin1'))).size >= 12);
      assert.ok(looks.every((it) => it.length >= 32));
    }
  });

  it('is brought to the eve of T0, mistakes included', async () => {
    const validators = [30n, 30n, 40n].map(makeValidator);
    operators = await Promise.all(validators.map((validator) => makeOperator([validator])));
    const snapshot = await postSnapshot(server, snapshotOf(validators));
    for (const operator of operators) expectStatus(await enrol(server, operator), 200);
    story = await openStory(server, {
      snapshot,
      patch: Buffer.concat([Buffer.from('patch '), patch.bytes]),
      notice: `# Prepare\n\n${notice.bytes.toString('hex')}\n`,
      disclosure: `# What it was\n\n${disclosure.bytes.toString('hex')}\n`,
    });
    await story.arm();
    expectStatus(await story.notice(...operators), 200);
    for (let i = 0; i < 100 && mail.received.length < operators.length; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.equal(mail.received.length, operators.length);

    const [first, second] = operators;
    const [officer] = server.officers;
    assert.ok(first && second && officer);
    for (const kind of ['ack', 'ready'] as const) {
      expectStatus(await story.say(first, kind), 200);
    }
    const { path } = story;
    assert.equal((await story.publishShare(officer, 'release')).status, 425);
    const reader = server.client(first.key);
    assert.equal((await reader.get(`${path}/release-key`)).status, 425);
    assert.equal((await reader.get(`${path}/documents/disclosure.md`)).status, 425);
    assert.equal((await server.client().get(path)).status, 404);
    assert.equal((await reader.post(`${path}/statements`, { envelope: 1 })).status, 400);
    const junk = { bytes: Buffer.from('{"a":'), type: 'application/json' };
    assert.equal((await reader.request('POST', `${path}/statements`, junk)).status, 400);
    assert.ok(
      (await reader.put(`/blobs/sha256/${'0'.repeat(64)}`, Buffer.from('x'))).status >= 400,
    );
    expectStatus(await reader.get(`${path}/directives`), 200);
    expectStatus(await reader.get(`${path}/signatures`), 200);
    expectStatus(await reader.get(`/blobs/sha256/${story.sealed.bundle.sha256}`), 200);
    await new Promise((resolve) => setTimeout(resolve, 500));
  });

  it('gives away nothing', async () => {
    assert.ok(Date.parse(story.sealed.plan.releaseTime) > Date.now() + 60_000);
    assert.deepEqual(await hunt(embargoed), []);
    const { keys } = story.sealed;
    const secrets = Object.entries(keys).map(([name, { identity }]) => ({
      name,
      bytes: Buffer.alloc(0),
      looks: [Buffer.from(identity), Buffer.from(identity.toLowerCase())],
    }));
    assert.deepEqual(await hunt(secrets), []);
  });

  it('would be caught with plaintext on its disk, in its memory and in its answers', async () => {
    const [, second] = operators;
    const [officer] = server.officers;
    assert.ok(second && officer);
    const reason = `no, ${control.bytes.toString('hex')}`;
    expectStatus(await story.say(second, 'decline', { reason }), 200);
    expectStatus(await server.client(officer.signing).get(`${story.path}/statements`), 200);
    const found = await hunt([control]);
    assert.ok(found.includes('control in a file'), found.join());
    assert.ok(found.includes('control in an answer'), found.join());
    if (canReadMemory) assert.ok(found.includes('control in memory'), found.join());
  });
});
