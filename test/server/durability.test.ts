import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { verifyEd25519 } from '../../platform/ed25519.ts';
import { fromBase64, sha256Hex } from '../../protocol/encoding/bytes.ts';
import { formatLeaf } from '../../protocol/log/leaf.ts';
import { checkLog } from '../support/check-log.ts';
import type { ChildServer } from '../support/child-server.ts';
import { startChild } from '../support/child-server.ts';
import { startMailServer } from '../support/mail-server.ts';
import type { TestOperator } from '../support/operators.ts';
import { makeOperator, makeValidator, snapshotOf } from '../support/operators.ts';
import { testClient } from '../support/session.ts';
import type { Story, StoryServer } from '../support/story.ts';
import { enrol, envelopeJson, expectStatus, openStory, postSnapshot } from '../support/story.ts';
import type { TestData } from '../support/test-server.ts';
import { prepareData } from '../support/test-server.ts';

const OPERATORS = 8;
const IN_FLIGHT = 16;

/** What a statement's sender was promised. */
interface Promised {
  readonly opening: string;
}

describe('what was acknowledged', () => {
  let data: TestData;
  let child: ChildServer;
  let operators: TestOperator[];
  let story: Story;
  let port: string;
  const acknowledged: Promised[] = [];

  /** The same server over all its lives: it keeps its port. */
  const server = (): StoryServer => ({
    officers: data.officers,
    root: data.root,
    now: Date.now,
    client: (signer) => testClient(child.url, signer, Date.now),
  });
  const start = async (more: Record<string, string> = {}): Promise<void> => {
    const env = data.env({
      LOG_EPOCH_MS: '50',
      LOG_EPOCH_LEAVES: '64',
      IDENTITY_RATE: '100000',
      PORT: port,
      ...more,
    });
    child = await startChild(env);
    port = new URL(child.url).port;
  };

  before(async () => {
    data = await prepareData();
    port = '0';
    await start();
    const validators = Array.from({ length: OPERATORS }, () => makeValidator(1n));
    operators = await Promise.all(validators.map((validator) => makeOperator([validator])));
    const snapshot = await postSnapshot(server(), snapshotOf(validators));
    for (const operator of operators) expectStatus(await enrol(server(), operator), 200);
    story = await openStory(server(), { snapshot });
    await story.uploadCiphertext();
    await story.decide('commit');
    await story.decide('notify');
    expectStatus(await story.notice(...operators), 200);
  });
  after(async () => {
    if (child.process.exitCode === null) await child.end('SIGKILL');
    await data.remove();
  });

  /** Send statements from many sides until the server is gone; remember what it promised. */
  const burst = async (
    stopAfter: number,
    end: () => Promise<unknown>,
  ): Promise<{ refused: number; ended: unknown }> => {
    const clients = operators.map((operator) => ({
      operator,
      client: testClient(child.url, operator.key, Date.now),
    }));
    for (const { client } of clients) await client.token();
    let answered = 0;
    let refused = 0;
    let ending: Promise<unknown> | undefined;
    const lane = async (index: number): Promise<void> => {
      const { operator, client } = clients[index % clients.length] ?? {
        operator: undefined,
        client: undefined,
      };
      if (operator === undefined) return;
      for (;;) {
        const envelope = envelopeJson(story.statement(operator, 'ready'));
        const answer = await client
          .post(`${story.path}/statements`, { envelope })
          .catch(() => undefined);
        if (answer === undefined) return;
        if (answer.status === 200) acknowledged.push(answer.json<Promised>());
        // Two lanes of one operator overtake each other.
        else if (answer.status !== 409) refused += 1;
        answered += 1;
        if (answered >= stopAfter) ending ??= end();
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, (_, index) => lane(index)));
    return { refused, ended: await ending };
  };

  /** Every acknowledged statement is stored once, and its leaf is in a sound log. */
  const checkAll = async (): Promise<void> => {
    const officer = server().client(data.officers[0]?.signing);
    const stored: string[] = [];
    for (let after = 0; ;) {
      const { statements } = expectStatus(
        await officer.get(`${story.path}/statements?after=${after}`),
        200,
      ).json<{ statements: { seq: number; envelope: { payload: string } }[] }>();
      if (statements.length === 0) break;
      for (const { seq, envelope } of statements) {
        assert.equal(seq, after + 1);
        after = seq;
        stored.push(sha256Hex(fromBase64(envelope.payload)));
      }
    }
    assert.equal(new Set(stored).size, stored.length);
    assert.ok(stored.length >= acknowledged.length);
    const wanted = acknowledged.map(({ opening }) =>
      formatLeaf({ type: 'sealed', sha256: sha256Hex(fromBase64(opening)) }),
    );
    const folder = join(data.dataDirectory, 'log');
    for (;;) {
      // The log goes on growing meanwhile; a look at half of it would fail for no reason.
      const found = await checkLog(folder, data.root.logKey, verifyEd25519).catch(() => undefined);
      const leaves = new Set(found?.leaves);
      if (found !== undefined && wanted.every((leaf) => leaves.has(leaf))) break;
      await officer.get('/healthz');
    }
    assert.equal(new Set(wanted).size, wanted.length);
  };

  it('is still there after kill -9 in a burst, again and again', async () => {
    for (const stopAfter of [1, 40, 120]) {
      const { ended } = await burst(stopAfter, () => child.end('SIGKILL'));
      assert.equal(ended, 'SIGKILL');
      await start();
      await checkAll();
    }
    assert.ok(acknowledged.length > 60);
  });

  it('is still there after SIGTERM in a burst, which ends in time and cleanly', async () => {
    const before = acknowledged.length;
    let tookMs = 0;
    const { ended } = await burst(60, async () => {
      const startedAt = performance.now();
      const code = await child.end('SIGTERM');
      tookMs = performance.now() - startedAt;
      return code;
    });
    assert.equal(ended, 0);
    assert.ok(tookMs < 10_000, `${tookMs} ms`);
    assert.ok(acknowledged.length > before);
    await start();
    await checkAll();
  });

  it('goes out by mail even when the server dies before it hears that a mail was taken', async () => {
    await child.end('SIGTERM');
    let kill: Promise<unknown> | undefined;
    await using mail = await startMailServer({
      beforeAnswer: async () => {
        if (kill !== undefined) return undefined;
        await starting;
        kill = child.end('SIGKILL');
        await kill;
        return 'cut';
      },
    });
    const env = {
      SMTP_URL: mail.url,
      MAIL_FROM: 'security@foundation.example',
      MAIL_CONCURRENCY: '1',
    };
    // Mails have waited since `before`; the first one kills it.
    const starting = start(env);
    await starting;
    while (kill === undefined) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(await kill, 'SIGKILL');
    await start(env);
    const officer = server().client(data.officers[0]?.signing);
    for (;;) {
      const { messages } = (await officer.get(`${story.path}/messages`)).json<{
        messages: { state: string }[];
      }>();
      if (messages.every(({ state }) => state === 'sent')) break;
    }
    const ids = mail.received.map(({ raw }) => /^Message-ID: (.*)\r$/m.exec(raw)?.[1]);
    assert.equal(ids.length, OPERATORS + 1);
    assert.equal(ids[1], ids[0], 'the same mail again');
    assert.equal(new Set(ids).size, OPERATORS);
  });
});
