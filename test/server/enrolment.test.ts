import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { generateSeed, signerFromSeed } from '../../platform/ed25519.ts';
import { generateContactKey } from '../../protocol/contact/contact-key.ts';
import { formatTime } from '../../protocol/encoding/time.ts';
import type { Envelope } from '../../protocol/signature/dsse.ts';
import { MINUTE_MS, testClock } from '../support/clock.ts';
import type { TestOperator, TestValidator } from '../support/operators.ts';
import {
  enrolmentEnvelope,
  makeOperator,
  makeValidator,
  snapshotOf,
} from '../support/operators.ts';
import type { Answer } from '../support/session.ts';
import { enrol, envelopeJson, expectStatus, postSnapshot, problemOf } from '../support/story.ts';
import type { TestServer } from '../support/test-server.ts';
import { startTestServer } from '../support/test-server.ts';

describe('enrolment', () => {
  const clock = testClock();
  let server: TestServer;
  let validators: TestValidator[];

  before(async () => {
    server = await startTestServer({ now: clock.now });
    validators = [5n, 4n, 3n, 0n, 2n, 1n, 1n].map(makeValidator);
  });
  after(() => server.close());

  const validator = (index: number): TestValidator => {
    const found = validators[index];
    assert.ok(found);
    return found;
  };
  const send = (envelope: Envelope, operator: TestOperator, contact = {}): Promise<Answer> =>
    server.client().post('/v1/enrolments', {
      envelope: envelopeJson(envelope),
      contact: { email: operator.email, openpgp: operator.openpgp.publicKey, ...contact },
    });
  const sign = (
    operator: TestOperator,
    options: Partial<Parameters<typeof enrolmentEnvelope>[1]> = {},
  ): Envelope =>
    enrolmentEnvelope(operator, { origin: server.root.origin, now: clock.now(), ...options });
  const roster = async (): Promise<{ email: string }[]> => {
    const client = server.client(server.officers[0]?.signing);
    return (await client.get('/v1/enrolments')).json<{ enrolments: { email: string }[] }>()
      .enrolments;
  };

  it('waits for a stake snapshot', async () => {
    const operator = await makeOperator([validator(0)]);
    const answer = await enrol(server, operator);
    assert.deepEqual(problemOf(answer), { status: 503, type: 'unavailable' });
    assert.equal(answer.headers.get('retry-after'), '5');
    await postSnapshot(server, snapshotOf(validators));
  });

  it('binds an operator to several validators, who can then log in', async () => {
    const operator = await makeOperator([validator(0), validator(1)]);
    const answer = expectStatus(await enrol(server, operator), 200);
    assert.ok(answer.json<{ receipt: string }>().receipt.startsWith('sealdrop-receipt/v1\n'));
    expectStatus(await server.client(operator.key).get('/v1/inbox'), 200);
    assert.equal((await roster()).length, 1);
  });

  it('gives the same receipt for the same envelope and never changes the contact by it', async () => {
    const operator = await makeOperator([validator(2)]);
    const envelope = sign(operator);
    const first = expectStatus(await send(envelope, operator), 200);
    const again = expectStatus(
      await send(envelope, operator, { email: 'attacker@evil.example' }),
      200,
    );
    assert.deepEqual(again.json(), first.json());
    assert.ok((await roster()).every(({ email }) => email !== 'attacker@evil.example'));
  });

  it('changes the contact with a new envelope by the same key', async () => {
    const operator = await makeOperator([validator(2)], { email: 'before@validators.example' });
    expectStatus(await enrol(server, operator), 200);
    const moved = { ...operator, email: 'after@validators.example' };
    expectStatus(await enrol(server, moved), 200);
    const emails = (await roster()).map(({ email }) => email);
    assert.deepEqual(emails.slice(-2), ['before@validators.example', 'after@validators.example']);
    await server.restart();
    assert.deepEqual(
      (await roster()).map(({ email }) => email),
      emails,
    );
  });

  it('is refused for what the identities have not signed', async () => {
    const operator = await makeOperator([validator(4)]);
    const other = await makeOperator([validator(5)]);
    const stranger = makeValidator(9n);
    const now = clock.now();
    const attempts: Record<string, [Envelope, string | undefined]> = {
      'a proof by another key': [
        sign(operator, { signerOf: () => stranger.key }),
        'binding_invalid',
      ],
      'a proof by the operator key': [
        sign(operator, { signerOf: () => operator.key }),
        'binding_invalid',
      ],
      'another service': [sign(operator, { origin: 'elsewhere.example/log' }), undefined],
      'another network': [
        sign(operator, { fields: { network: 'solana:11111111111111111111111111111111' } }),
        undefined,
      ],
      'from the future': [
        sign(operator, { fields: { issuedAt: formatTime(now + 6 * MINUTE_MS) } }),
        undefined,
      ],
      'signed by another operator': [sign(operator, { by: other.key }), 'signature_invalid'],
      'another OpenPGP key': [sign(operator, { fields: { openpgp: 'A'.repeat(40) } }), undefined],
      'a validator that is not in the snapshot': [
        sign({ ...operator, validators: [stranger] }),
        undefined,
      ],
    };
    for (const [name, [envelope, code]] of Object.entries(attempts)) {
      const problem = problemOf(await send(envelope, operator));
      assert.deepEqual(problem, { status: 422, type: 'refused', ...(code && { code }) }, name);
    }
  });

  it('is refused with an officer’s key as operator key', async () => {
    const officer = server.officers[0]?.signing;
    assert.ok(officer);
    const operator = { ...(await makeOperator([validator(4)])), key: officer };
    assert.equal((await enrol(server, operator)).status, 422);
  });

  it('takes one plain mail address and nothing that could be two', async () => {
    const operator = await makeOperator([validator(4)]);
    const addresses = [
      'a@good.example,b@evil.example',
      'a@good.example\r\nRCPT TO:<b@evil.example>',
      '"a b"@good.example',
      'g: b@evil.example;',
      'A <a@good.example>',
      'a@good.example (comment)',
      'a@@good.example',
      'a@localhost',
      'a@[127.0.0.1]',
      '.a@good.example',
      '-oX@good.example',
      'a@good..example',
      'ä@good.example',
      'a@gооd.example',
      `${'a'.repeat(65)}@good.example`,
      'a@good.example\u0000',
    ];
    for (const email of addresses) {
      const answer = await send(sign(operator), operator, { email });
      assert.deepEqual(problemOf(answer), { status: 400, type: 'request_invalid' }, email);
    }
    expectStatus(await send(sign(operator), operator, { email: 'a.b+c@Good.Example' }), 200);
    assert.ok((await roster()).some(({ email }) => email === 'a.b+c@good.example'));
  });

  it('takes an OpenPGP public key and nothing else', async () => {
    const operator = await makeOperator([validator(4)]);
    const { privateKey, publicKey } = operator.openpgp;
    const expired = await generateContactKey(
      { name: 'late', email: 'late@validators.example' },
      new Date(clock.now() + 24 * 60 * MINUTE_MS),
    );
    const keys = [privateKey, `${publicKey}\n${publicKey}`, 'no key', expired.publicKey];
    for (const openpgp of keys) {
      const answer = await send(sign(operator), operator, { openpgp });
      assert.equal(answer.status, 422, openpgp.slice(0, 40));
      assert.equal(answer.text().includes('PRIVATE'), false);
    }
  });

  it('lets an identity move to another operator, which is noticed, but not for ever', async () => {
    const contested = [validator(6)];
    const answers: number[] = [];
    for (let i = 0; i < 21; i++) {
      const { openpgp } = await makeOperator([]);
      const key = signerFromSeed(generateSeed());
      const operator = { key, openpgp, email: 'x@y.example', validators: contested };
      answers.push((await enrol(server, operator)).status);
    }
    assert.equal(answers.filter((status) => status === 200).length, 20);
    assert.equal(answers.at(-1), 429);
    const takeovers = server.logged.filter((line) => line['code'] === 'identity_rebound');
    assert.ok(takeovers.length >= 19);
  });
});
