import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { decryptAndVerify } from '../../protocol/contact/message.ts';
import { officerKeys } from '../../protocol/contact/detached.ts';
import { HOUR_MS, MINUTE_MS } from '../support/clock.ts';
import type { BeforeAnswer, MailServer, ReceivedMail, Verdict } from '../support/mail-server.ts';
import { startMailServer } from '../support/mail-server.ts';
import type { Story } from '../support/story.ts';
import { expectStatus, problemOf } from '../support/story.ts';
import type { World } from '../support/world.ts';
import { openWorld } from '../support/world.ts';

const MAIL_FROM = 'security@foundation.example';

/** The mail server's mood, which each test sets. */
interface Mood {
  onRecipient: (address: string, attempt: number) => Verdict;
  onMessage: (attempt: number) => Verdict;
  beforeAnswer: (mail: ReceivedMail) => BeforeAnswer | Promise<BeforeAnswer>;
}

describe('mail', () => {
  const accept = (): undefined => undefined;
  const mood: Mood = { onRecipient: accept, onMessage: accept, beforeAnswer: accept };
  let mail: MailServer;
  let world: World;
  let story: Story;

  before(async () => {
    mail = await startMailServer({
      onRecipient: (...args) => mood.onRecipient(...args),
      onMessage: (...args) => mood.onMessage(...args),
      beforeAnswer: (...args) => mood.beforeAnswer(...args),
    });
    world = await openWorld({ env: { SMTP_URL: mail.url, MAIL_FROM } });
  });
  after(async () => {
    await world.close();
    await mail.close();
  });
  beforeEach(async () => {
    Object.assign(mood, { onRecipient: accept, onMessage: accept, beforeAnswer: accept });
    story = await world.another();
    await story.uploadCiphertext();
    await story.decide('commit');
    await story.decide('notify');
  });

  interface Delivery {
    operator: string;
    kind: string;
    state: string;
    attempts: number;
  }
  const deliveries = async (): Promise<Delivery[]> => {
    const client = world.server.client(world.officer(0).signing);
    const answer = expectStatus(await client.get(`${story.path}/messages`), 200);
    return answer.json<{ messages: Delivery[] }>().messages;
  };
  /** Poll the real state until it is as expected; the test runner's own limit ends a vain wait. */
  const until = async (holds: (all: Delivery[]) => boolean): Promise<Delivery[]> => {
    for (;;) {
      const all = await deliveries();
      if (holds(all)) return all;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const mailsTo = (index: number): ReceivedMail[] =>
    mail.received.filter(({ to }) => to.includes(world.operator(index).email));
  const messageIdOf = ({ raw }: ReceivedMail): string | undefined =>
    /^Message-ID: (.*)\r$/m.exec(raw)?.[1];

  it('goes to each operator alone, encrypted, with nothing to read outside', async () => {
    const seen = mail.received.length;
    expectStatus(await story.notice(world.operator(0), world.operator(1)), 200);
    await until((all) => all.length === 2 && all.every(({ state }) => state === 'sent'));
    const mails = mail.received.slice(seen);
    assert.deepEqual(
      mails.map(({ to }) => to).sort(),
      [[world.operator(0).email], [world.operator(1).email]].sort(),
    );
    for (const { from, to, raw } of mails) {
      assert.equal(from, MAIL_FROM);
      const [head = '', ...body] = raw.split('\r\n\r\n');
      assert.match(head, /^Subject: \[\.\.\.\]$/m);
      assert.match(head, new RegExp(`^To: ${to[0] ?? ''}$`, 'm'));
      assert.match(
        head,
        /^Content-Type: multipart\/encrypted; protocol="application\/pgp-encrypted";$/m,
      );
      assert.equal(head.includes(story.sealed.id), false);
      const text = body.join('\r\n\r\n');
      assert.match(
        text,
        /Content-Type: application\/pgp-encrypted\r\n[^]*7bit\r\n\r\nVersion: 1\r\n/,
      );
      const block =
        /-----BEGIN PGP MESSAGE-----[^]*-----END PGP MESSAGE-----/.exec(text)?.[0] ?? '';
      const { person, content } = await decryptAndVerify(
        block,
        world.operator(0).openpgp.privateKey,
        await officerKeys([{ id: 'alice', openpgp: world.officer(0).openpgp.publicKey }]),
        new Date(world.clock.now()),
      );
      assert.equal(person, 'alice');
      assert.deepEqual(content, story.sealed.documents.get('notice.txt'));
    }
  });

  it('is queued once, however often an officer sends it', async () => {
    const answer = await story.notice(world.operator(0));
    assert.deepEqual(expectStatus(answer, 200).json(), { queued: 1, known: 0 });
    const again = await story.notice(world.operator(0), world.operator(1));
    assert.deepEqual(expectStatus(again, 200).json(), { queued: 1, known: 1 });
  });

  it('is tried again after greylisting, and not before its time', async () => {
    const seen = mail.recipients.length;
    mood.onRecipient = (_address, attempt) =>
      attempt % 3 === 0 ? undefined : { code: 451, text: 'greylisted' };
    expectStatus(await story.notice(world.operator(2)), 200);
    const attempts = (): string[] =>
      mail.recipients.slice(seen).filter((it) => it === world.operator(2).email);
    await until(([only]) => only?.state === 'deferred');
    const first = attempts().length;
    for (const [minutes, state] of [
      [2, 'deferred'],
      [7, 'sent'],
    ] as const) {
      const before = attempts().length;
      world.clock.advance((minutes * MINUTE_MS) / 2 - 1000);
      await world.server.restart();
      assert.equal(attempts().length, before, 'not yet');
      world.clock.advance((minutes * MINUTE_MS) / 2 + 1000);
      await world.server.restart();
      await until(([only]) => only?.attempts === (minutes === 2 ? 2 : 3));
      assert.equal((await deliveries())[0]?.state, state);
    }
    assert.equal(attempts().length, first + 2);
    assert.equal(mailsTo(2).length, 1);
  });

  it('bounces at a 5xx about that recipient, and others are not affected', async () => {
    const victim = world.operator(3).email;
    mood.onRecipient = (address) =>
      address === victim ? { code: 550, text: 'no such user' } : undefined;
    expectStatus(await story.notice(world.operator(3), world.operator(1)), 200);
    const all = await until((them) => them.every(({ state }) => state !== 'queued'));
    const stateOf = (index: number): string | undefined =>
      all.find(({ operator }) => operator === world.operator(index).key.publicKey)?.state;
    assert.equal(stateOf(3), 'bounced');
    assert.equal(stateOf(1), 'sent');
    mood.onRecipient = accept;
    assert.deepEqual((await story.notice(world.operator(3))).json(), { queued: 1, known: 0 });
    await until((them) => them.every(({ state }) => state === 'sent'));
  });

  it('waits while the mail server is away, over a restart', async () => {
    const { port } = mail;
    await mail.close();
    expectStatus(await story.notice(world.operator(0)), 200);
    await until(([only]) => only?.state === 'deferred');
    await world.server.restart();
    mail = await startMailServer({ port });
    world.clock.advance(HOUR_MS);
    await world.server.restart();
    await until(([only]) => only?.state === 'sent');
    assert.equal(mail.received.length, 1);
    await mail.close();
    mail = await startMailServer({
      port,
      onRecipient: (...args) => mood.onRecipient(...args),
      onMessage: (...args) => mood.onMessage(...args),
      beforeAnswer: (...args) => mood.beforeAnswer(...args),
    });
  });

  it('that may or may not have arrived is sent again with the same Message-ID', async () => {
    const seen = mail.received.length;
    // The message is taken, and the line is cut before we hear of it.
    mood.beforeAnswer = () => 'cut';
    expectStatus(await story.notice(world.operator(1)), 200);
    await until(([only]) => only?.state === 'deferred');
    mood.beforeAnswer = accept;
    world.clock.advance(2 * MINUTE_MS);
    await world.server.restart();
    await until(([only]) => only?.state === 'sent');
    const [first, second, ...others] = mail.received.slice(seen).map(messageIdOf);
    assert.ok(first);
    assert.equal(second, first);
    assert.deepEqual(others, []);
  });

  it('is refused unless it is encrypted, to an enrolled operator, and due', async () => {
    const officer = world.server.client(world.officer(0).signing);
    const send = (messages: unknown[]) => officer.post(`${story.path}/messages`, { messages });
    const good = await story.message(world.operator(0));
    const { armored = '' } = good;
    const signed = armored.replaceAll('MESSAGE', 'SIGNATURE');
    const literal = [
      '-----BEGIN PGP MESSAGE-----',
      '',
      Buffer.from(
        Uint8Array.of(0xcb, 0x0b, 0x62, 0, 0, 0, 0, 0, 0x68, 0x65, 0x6c, 0x6c, 0x6f),
      ).toString('base64'),
      '-----END PGP MESSAGE-----',
    ].join('\n');
    for (const [name, text] of Object.entries({
      signature: signed,
      literal,
      'plain text': 'Dear operator, the bug is in bank.rs',
      'text before': `The bug is in bank.rs\n${armored}`,
      'text after': `${armored}\nThe bug is in bank.rs`,
      'cut off': armored.replace(/\n.{20,}\n(?=.*-----END)/s, '\n'),
    })) {
      const answer = await send([{ ...good, armored: text }]);
      assert.equal(answer.status, 422, name);
    }
    const unknown = await send([{ ...good, operator: world.officer(0).signing.publicKey }]);
    assert.deepEqual(problemOf(unknown), { status: 422, type: 'refused' });
    const early = await send([await story.message(world.operator(0), 'closing')]);
    assert.deepEqual(problemOf(early), { status: 409, type: 'conflict' });
    const draft = await world.another();
    assert.deepEqual(problemOf(await draft.notice(world.operator(0))), {
      status: 409,
      type: 'conflict',
    });
  });
});
