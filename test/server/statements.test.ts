import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

import { verifyEd25519 } from '../../platform/ed25519.ts';
import { toBase64 } from '../../protocol/encoding/bytes.ts';
import { parseCheckpoint } from '../../protocol/log/checkpoint.ts';
import { EMPTY_ROOT } from '../../protocol/log/merkle.ts';
import type { Envelope } from '../../protocol/signature/dsse.ts';
import { signEnvelope } from '../../protocol/signature/dsse.ts';
import { bindIdentities } from '../../protocol/stake/bindings.ts';
import { parseSnapshot } from '../../protocol/stake/snapshot.ts';
import { tally } from '../../protocol/stake/tally.ts';
import { verifyEnrolment } from '../../protocol/statement/enrolment.ts';
import type { OperatorStatement } from '../../protocol/statement/operator.ts';
import { verifyOperatorStatement } from '../../protocol/statement/operator.ts';
import { HOUR_MS } from '../support/clock.ts';
import type { TestOperator } from '../support/operators.ts';
import { makeOperator } from '../support/operators.ts';
import type { Answer } from '../support/session.ts';
import type { Story } from '../support/story.ts';
import { enrol, envelopeJson, envelopeOf, expectStatus, problemOf } from '../support/story.ts';
import { TEST_ORIGIN } from '../support/test-server.ts';
import type { World } from '../support/world.ts';
import { openWorld } from '../support/world.ts';

describe('statements', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
  });
  after(() => world.close());

  const released = async (): Promise<Story> => {
    const story = await world.another();
    await story.arm();
    world.clock.advance(HOUR_MS);
    await story.release();
    return story;
  };
  const post = (story: Story, as: TestOperator, envelope: Envelope): Promise<Answer> =>
    world.server
      .client(as.key)
      .post(`${story.path}/statements`, { envelope: envelopeJson(envelope) });
  const listed = async (story: Story): Promise<{ seq: number; envelope: unknown }[]> => {
    const client = world.server.client(world.officer(0).signing);
    const answer = expectStatus(await client.get(`${story.path}/statements`), 200);
    return answer.json<{ statements: { seq: number; envelope: unknown }[] }>().statements;
  };

  it('count once and get the same receipt when a thousand copies come at once', async () => {
    const story = await released();
    const operator = world.operator(0);
    const envelope = story.statement(operator, 'attest');
    // Each request needs its own proof; more than the burst of one identity would be refused.
    const answers: Answer[] = [];
    for (let round = 0; round < 10; round++) {
      answers.push(
        ...(await Promise.all(Array.from({ length: 100 }, () => post(story, operator, envelope)))),
      );
      world.clock.advance(2000);
    }
    const [first] = answers;
    for (const answer of answers) {
      assert.deepEqual(expectStatus(answer, 200).json(), first?.json());
    }
    assert.equal((await listed(story)).length, 1);
    const client = world.server.client(world.officer(0).signing);
    const view = (await client.get(`${story.path}/tally`)).json<{ attestedStake: string }>();
    assert.equal(view.attestedStake, '30');
  });

  it('keep the first of two under one counter, also when both come at once', async () => {
    const story = await released();
    const operator = world.operator(0);
    const one = story.statement(operator, 'attest', { counter: 5 });
    const two = story.statement(operator, 'revert', { counter: 5, reason: 'no' });
    const answers = await Promise.all(
      [one, two, one, two].map((envelope) => post(story, operator, envelope)),
    );
    const statuses = answers.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [200, 200, 409, 409]);
    assert.equal((await listed(story)).length, 1);
    const older = story.statement(operator, 'attest', { counter: 4 });
    assert.deepEqual(problemOf(await post(story, operator, older)), {
      status: 409,
      type: 'conflict',
    });
    expectStatus(
      await post(story, operator, story.statement(operator, 'attest', { counter: 9 })),
      200,
    );
  });

  it('are refused when anything in them is for something else', async () => {
    const story = await released();
    const other = await released();
    const operator = world.operator(0);
    const foreign = world.operator(1).validators[0]?.identity ?? '';
    const changes: Record<string, Partial<OperatorStatement>> = {
      'another campaign': { campaign: other.sealed.id },
      'another network': { network: 'solana:11111111111111111111111111111111' },
      'another revision': { revision: 2 },
      'another release': { subject: { name: 'release.txt', sha256: 'ab'.repeat(32) } },
      'the validator of another operator': { validators: [foreign] },
      'an unknown variant': { variant: 'firedancer' },
    };
    for (const [name, change] of Object.entries(changes)) {
      const answer = await post(story, operator, story.statement(operator, 'attest', change));
      assert.equal(answer.status, 422, `${name}: ${answer.text()}`);
    }
    assert.equal((await listed(story)).length, 0);
  });

  it('are refused unless signed by the operator who is logged in, and by nobody else', async () => {
    const story = await released();
    const [mine, theirs] = [world.operator(0), world.operator(1)];
    const { payload } = story.statement(mine, 'attest');
    const attempts: Record<string, Envelope> = {
      'by another operator': signEnvelope(payload, theirs.key),
      'by the validator itself': signEnvelope(payload, mine.validators[0]?.key ?? mine.key),
      'by an officer': signEnvelope(payload, world.officer(0).signing),
      'by two': signEnvelope(payload, mine.key, theirs.key),
      'with a signature of something else': {
        payload,
        signatures: story.statement(mine, 'attest').signatures,
      },
    };
    for (const [name, envelope] of Object.entries(attempts)) {
      assert.equal(problemOf(await post(story, mine, envelope)).code, 'signature_invalid', name);
    }
    const relayed = await post(story, theirs, story.statement(mine, 'attest'));
    assert.equal(relayed.status, 422);
    const officer = world.server.client(world.officer(0).signing);
    const asOfficer = await officer.post(`${story.path}/statements`, {
      envelope: envelopeJson(story.statement(mine, 'attest')),
    });
    assert.equal(asOfficer.status, 403);
  });

  it('are taken by the state of the campaign: nothing is attested before it is out', async () => {
    const story = await world.another();
    await story.arm();
    const operator = world.operator(0);
    assert.deepEqual(problemOf(await story.say(operator, 'attest')), {
      status: 409,
      type: 'conflict',
    });
    expectStatus(await story.say(operator, 'ack'), 200);
    expectStatus(await story.say(operator, 'ready'), 200);
    world.clock.advance(HOUR_MS);
    await story.release();
    expectStatus(await story.say(operator, 'attest'), 200);
    await story.decide('withdraw', { reason: 'it does harm' });
    assert.equal((await story.say(operator, 'attest')).status, 409);
    expectStatus(await story.say(operator, 'revert', { reason: 'as told' }), 200);
    const inbox = (await world.server.client(operator.key).get('/v1/inbox')).json<{
      campaigns: { campaign: { campaign: string }; statements: string[]; counter: number }[];
    }>();
    const entry = inbox.campaigns.find(({ campaign }) => campaign.campaign === story.sealed.id);
    assert.deepEqual(entry?.statements, ['ack', 'ready', 'attest', 'revert']);
    assert.ok(entry.counter >= 4);
  });

  it('are limited in number: each of them stays for ever', async () => {
    const story = await released();
    const operator = world.operator(3);
    for (let i = 0; i < 200; i++) expectStatus(await story.say(operator, 'attest'), 200);
    assert.deepEqual(problemOf(await story.say(operator, 'attest')), {
      status: 429,
      type: 'too_many_requests',
    });
    expectStatus(await story.say(world.operator(2), 'attest'), 200);
  });

  it('pass a gate for good, though one that is written with the last takes it back', async () => {
    const story = await released();
    for (const i of [0, 1]) expectStatus(await story.say(world.operator(i), 'attest'), 200);
    await world.server.restartWith({ FLUSH_MS: '400' });
    const attesting = story.say(world.operator(2), 'attest');
    await wait(100);
    const reverting = story.say(world.operator(2), 'revert', { reason: 'no' });
    for (const answer of await Promise.all([attesting, reverting])) expectStatus(answer, 200);
    await world.server.restart();
    assert.equal(await story.status(), 'adopted');
    const client = world.server.client(world.officer(0).signing);
    const { events } = (await client.get(`${story.path}/events`)).json<{
      events: { type: string; detail: string }[];
    }>();
    assert.deepEqual(
      events.filter(({ type }) => type === 'milestone').map(({ detail }) => detail),
      ['safety', 'supermajority', 'complete'],
    );
    const view = (await client.get(`${story.path}/tally`)).json<{ attestedStake: string }>();
    assert.equal(view.attestedStake, '60');
  });

  it('tell officers who has to be called next', async () => {
    const story = await world.another();
    await story.arm();
    expectStatus(await story.notice(world.operator(2)), 200);
    expectStatus(await story.say(world.operator(1), 'ack'), 200);
    expectStatus(await story.say(world.operator(3), 'decline', { reason: 'no' }), 200);
    const client = world.server.client(world.officer(0).signing);
    const { contacts } = (await client.get(`${story.path}/contacts`)).json<{
      contacts: { operator: string; stake: string; state: string; delivery: string | null }[];
    }>();
    assert.deepEqual(
      contacts.map(({ stake }) => stake),
      ['30', '30', '29', '1'],
    );
    const of = (index: number): unknown => {
      const found = contacts.find((it) => it.operator === world.operator(index).key.publicKey);
      return [found?.state, found?.delivery];
    };
    assert.deepEqual(of(0), ['unreached', null]);
    assert.deepEqual(of(1), ['acknowledged', null]);
    assert.deepEqual(of(2), ['unreached', 'queued']);
    assert.deepEqual(of(3), ['declined', null]);
  });

  it('are accepted whatever checkpoint they name; one that the log never had is told', async () => {
    const story = await released();
    const { server } = world;
    const operator = world.operator(0);
    await server.sequence();
    const [text = ''] = (await server.client().get('/log/checkpoint')).text().split('\n\n');
    const log = parseCheckpoint(`${text}\n`, TEST_ORIGIN);
    await server.sequence();
    const size = log.size;
    const ours = toBase64(log.root);
    const heard = (): object[] =>
      server.logged
        .filter(
          (it) => it['campaign'] === story.sealed.id && it['code'] === 'checkpoint_contradicted',
        )
        .map((it) => ({ size: it['size'], root: it['root'], ours: it['ours'] }));
    const say = async (size: number, root: string): Promise<void> => {
      const envelope = story.statement(operator, 'attest', { checkpoint: { size, root } });
      expectStatus(await post(story, operator, envelope), 200);
      // The same once more is no second alarm.
      expectStatus(await post(story, operator, envelope), 200);
    };

    // What was published once, the second time from memory, and a log without leaves.
    for (let i = 0; i < 2; i++) await say(size, ours);
    await say(0, toBase64(EMPTY_ROOT));
    assert.deepEqual(heard(), []);

    const other = toBase64(log.root.with(0, (log.root[0] ?? 0) ^ 1));
    const wrong = { size, root: other, ours };
    const future = { size: 2 ** 53 - 1, root: ours, ours: undefined };
    await say(wrong.size, wrong.root);
    await say(future.size, future.root);
    assert.deepEqual(heard(), [wrong, future]);
    assert.equal((await listed(story)).length, 5);
    const view = await server.client(world.officer(0).signing).get(`${story.path}/tally`);
    assert.equal(view.json<{ attestedStake: string }>().attestedStake, '30');
    // Nobody is told by the page for supervisors that operators say anything now.
    assert.doesNotMatch((await server.client().get('/readyz')).text(), /alarm/);
    await say(size, ours);
    assert.equal(heard().length, 2);
  });

  it('are tallied exactly as anybody can tally them from what is published', async () => {
    const story = await released();
    const { server } = world;
    for (const [index, kind] of [
      [0, 'attest'],
      [1, 'attest'],
      [2, 'attest'],
      [0, 'revert'],
      [3, 'attest'],
      [2, 'revert'],
      [2, 'attest'],
    ] as const) {
      expectStatus(await story.say(world.operator(index), kind), 200);
    }
    // The identity of operator 1 passes to somebody new, and what was said for it counts no more.
    const heir = await makeOperator(world.operator(1).validators);
    expectStatus(await enrol(server, heir), 200);
    assert.ok(server.logged.some((line) => line['code'] === 'identity_rebound'));

    const recount = async (): Promise<string> => {
      const client = server.client(world.officer(0).signing);
      const { enrolments } = (await client.get('/v1/enrolments')).json<{
        enrolments: { envelope: unknown }[];
      }>();
      const bindings = bindIdentities(
        enrolments.map(({ envelope }) => verifyEnrolment(envelopeOf(envelope), verifyEd25519)),
      );
      const statements = (await listed(story)).map(({ envelope }) => {
        const parsed = envelopeOf(envelope);
        const operator = parsed.signatures[0]?.keyid ?? world.operator(0).key.publicKey;
        return verifyOperatorStatement(parsed, verifyEd25519, operator, story.sealed.plan);
      });
      const snapshot = parseSnapshot((await client.get(`${story.path}/snapshot`)).bytes);
      const { attested } = tally(snapshot, bindings, statements, story.sealed.plan.milestones);
      return String(attested.stake);
    };
    const served = async (): Promise<string> => {
      const client = server.client(world.officer(0).signing);
      return (await client.get(`${story.path}/tally`)).json<{ attestedStake: string }>()
        .attestedStake;
    };
    assert.equal(await served(), '30');
    assert.equal(await recount(), '30');
    expectStatus(await story.say({ ...heir }, 'attest'), 200);
    assert.equal(await served(), '60');
    assert.equal(await recount(), '60');
    await server.restart();
    assert.equal(await served(), '60');
  });
});
