import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';

import { sha256Hex } from '../../protocol/encoding/bytes.ts';
import {
  unlistedAnswers,
  unlistedFiles,
  unlistedLogging,
  unlistedMail,
  type SeenAnswer,
} from '../leak-audit/observed.ts';
import { readAuditPage } from '../leak-audit/page.ts';
import { startChildStory, type ChildStory } from '../support/child-story.ts';
import { disguises } from '../support/disguises.ts';
import { inflatedIn } from '../support/inflate.ts';
import { startMailServer, type MailServer } from '../support/mail-server.ts';
import { needlesOf, type Needles } from '../support/needles.ts';
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
}

const canary = (name: string): Canary => ({ name, bytes: randomBytes(32) });

const patch = canary('patch');
const notice = canary('notice');
const disclosure = canary('disclosure');
const embargoed = [patch, notice, disclosure];
/** Sent by mistake where ciphertext belongs, and in all that a request has besides its path. */
const slip = canary('slip');
/** Brought in on purpose, so that the hunt is seen to find what is there. */
const said = canary('said');
const uploaded = canary('uploaded');
const asked = canary('asked');
const sender = canary('sender');

let mail: MailServer;
let server: ChildStory;
let story: Story;
let operators: readonly TestOperator[];
const answers: SeenAnswer[] = [];
const realFetch = globalThis.fetch;

before(async () => {
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const response = await realFetch(input, init);
    answers.push({
      method: request.method,
      path: new URL(request.url).pathname,
      headers: new Map(response.headers),
      body: Buffer.from(await response.clone().arrayBuffer()),
    });
    return response;
  };
  mail = await startMailServer();
  server = await startChildStory({
    SMTP_URL: mail.url,
    MAIL_FROM: `${sender.bytes.toString('hex')}@sealdrop.example`,
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

/** Paths below the data directory. */
async function listFiles(): Promise<string[]> {
  const { dataDirectory } = server.data;
  const entries = await readdir(dataDirectory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dataDirectory, join(entry.parentPath, entry.name)));
}

/** Where a needle is found, as `name in place`. */
async function hunt(needles: Needles): Promise<string[]> {
  const found = new Set<string>();
  const look = (place: string, bytes: Buffer): void => {
    for (const piece of [bytes, ...inflatedIn(bytes)]) {
      for (const name of needles.findIn(piece)) found.add(`${name} in ${place}`);
    }
  };
  for (const path of await listFiles()) {
    // What is being replaced right now is found under its own name.
    look('a file', await readFile(join(server.data.dataDirectory, path)).catch(orGone));
  }
  look('the log', Buffer.from(server.child.output.join('\n')));
  for (const { raw } of mail.received) look('a mail', Buffer.from(raw));
  for (const { headers, body } of answers) {
    look('an answer', Buffer.from([...headers].join('\n')));
    look('an answer', body);
  }
  if (canReadMemory) {
    for (const piece of memoryOf(server.child.process.pid ?? 0)) look('memory', piece);
  }
  return [...found].sort();
}

const looksOf = (...canaries: readonly Canary[]): Canary[] =>
  canaries.flatMap(({ name, bytes }) => disguises(bytes).map((look) => ({ name, bytes: look })));

describe('a seized server', () => {
  it('knows each canary by at least twelve encodings', () => {
    for (const { bytes } of embargoed) {
      const looks = disguises(bytes);
      assert.ok(new Set(looks.map((it) => it.toString('latin1'))).size >= 12);
      const needles = needlesOf(looksOf({ name: 'it', bytes }));
      for (const look of looks) {
        const around = Buffer.concat([randomBytes(100), look, randomBytes(100)]);
        assert.ok(needles.findIn(around).has('it'));
        assert.ok([...inflatedIn(gzipSync(around))].some((it) => needles.findIn(it).has('it')));
      }
    }
  });

  it('is brought to the eve of T0, mistakes included', async () => {
    const validators = [30n, 30n, 40n].map(makeValidator);
    operators = await Promise.all(validators.map((validator) => makeOperator([validator])));
    const snapshot = await postSnapshot(server, snapshotOf(validators));
    for (const operator of operators) expectStatus(await enrol(server, operator), 200);
    story = await openStory(server, {
      snapshot,
      releaseInMs: 180_000,
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

    const text = slip.bytes.toString('hex');
    const plain = Buffer.from(`patch ${text}`);
    const asOfficer = server.client(officer.signing);
    const { operator, kind } = await story.message(second);
    const unencrypted = { messages: [{ operator, kind, armored: text }] };
    expectStatus(await asOfficer.put(`/blobs/sha256/${sha256Hex(plain)}`, plain), 422);
    expectStatus(await asOfficer.put(`${path}/signatures`, plain), 422);
    expectStatus(await asOfficer.post(`${path}/messages`, unencrypted), 422);
    const cut = { bytes: Buffer.from(`{"${text}`), type: 'application/json' };
    expectStatus(await reader.request('POST', `${path}/statements`, cut), 400);
    const noted = { headers: { 'x-note': text, accept: text } };
    expectStatus(await reader.request('GET', `${path}?note=${text}`, noted), 200);

    expectStatus(await reader.get(`${path}/directives`), 200);
    expectStatus(await reader.get(`${path}/signatures`), 200);
    expectStatus(await reader.get(`/blobs/sha256/${story.sealed.bundle.sha256}`), 200);
    await new Promise((resolve) => setTimeout(resolve, 500));
  });

  it('gives away nothing', async () => {
    assert.ok(Date.parse(story.sealed.plan.releaseTime) > Date.now() + 60_000);
    const { keys } = story.sealed;
    const secrets = Object.entries(keys).flatMap(([name, { identity }]) =>
      [identity, identity.toLowerCase()].map((it) => ({ name, bytes: Buffer.from(it) })),
    );
    const found = await hunt(needlesOf([...looksOf(...embargoed, slip), ...secrets]));
    // What was refused may lie about in memory for a while; it is kept and repeated nowhere.
    assert.deepEqual(
      found.filter((it) => it !== 'slip in memory'),
      [],
    );
  });

  it('shows nothing that the leak audit does not list', async () => {
    const page = readAuditPage();
    const temporary = /(?:^|\/)\.[^/]+\.[0-9a-f]{16}$/;
    const files = (await listFiles()).filter((path) => !temporary.test(path));
    assert.ok(files.length > 20);
    assert.deepEqual(unlistedFiles(page, files), []);
    assert.ok(server.child.output.length > 30);
    assert.deepEqual(unlistedLogging(page, server.child.output), []);
    assert.deepEqual(
      unlistedMail(
        page,
        mail.received.map(({ raw }) => raw),
      ),
      [],
    );
    assert.ok(answers.length > 40, String(answers.length));
    assert.deepEqual(unlistedAnswers(page, answers), []);
  });

  it('would be caught with plaintext on its disk, in its memory, logs, mails and answers', async () => {
    const [, second] = operators;
    const [officer] = server.officers;
    assert.ok(second && officer);
    const reason = `no, ${said.bytes.toString('hex')}`;
    expectStatus(await story.say(second, 'decline', { reason }), 200);
    expectStatus(await server.client(officer.signing).get(`${story.path}/statements`), 200);
    // A client that encrypts nothing, behind a header that looks as if it did.
    const bare = Buffer.concat([Buffer.from('age-encryption.org/v1\n-> X25519 '), uploaded.bytes]);
    const path = `/blobs/sha256/${sha256Hex(bare)}`;
    expectStatus(await server.client(officer.signing).put(path, bare), 204);
    await server.client().get(`/v1/${asked.bytes.toString('hex')}`);
    await new Promise((resolve) => setTimeout(resolve, 100));

    const found = await hunt(needlesOf(looksOf(said, uploaded, asked, sender)));
    const expected = ['said in a file', 'said in an answer', 'uploaded in a file'];
    expected.push('asked in the log', 'sender in a mail');
    if (canReadMemory) expected.push('said in memory');
    for (const it of expected) assert.ok(found.includes(it), `${it}, of ${found.join()}`);
  });
});
