import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { verifyEd25519 } from '../../platform/ed25519.ts';
import { fromBase64, sha256Hex, toBase64, utf8Encode } from '../../protocol/encoding/bytes.ts';
import type { Leaf } from '../../protocol/log/leaf.ts';
import {
  dummyKeysEnd,
  dummyNonces,
  dummyOpening,
  parseDummyKeys,
} from '../../protocol/log/dummy.ts';
import { formatLeaf, parseLeaf } from '../../protocol/log/leaf.ts';
import { leafHash } from '../../protocol/log/merkle.ts';
import { parseOpening } from '../../protocol/log/opening.ts';
import { openReceipt } from '../../protocol/log/receipt.ts';
import { checkLog } from '../support/check-log.ts';
import { HOUR_MS, testClock } from '../support/clock.ts';
import type { TestOperator } from '../support/operators.ts';
import { makeOperator, makeValidator, snapshotOf } from '../support/operators.ts';
import type { Story } from '../support/story.ts';
import { enrol, expectStatus, openStory, postSnapshot } from '../support/story.ts';
import type { TestServer } from '../support/test-server.ts';
import { startTestServer } from '../support/test-server.ts';

/** Two thirds of 90 is 60: exactly there with the first two, above with the last one. */
const STAKES = [30n, 30n, 29n, 1n];

describe('a campaign, from upload to disclosure', () => {
  const clock = testClock();
  let server: TestServer;
  let operators: TestOperator[];
  let story: Story;

  const officer = (index: number): NonNullable<(typeof server.officers)[number]> => {
    const found = server.officers[index];
    assert.ok(found);
    return found;
  };
  const asOfficer = (): ReturnType<TestServer['client']> => server.client(officer(0).signing);
  const operator = (index: number): TestOperator => {
    const found = operators[index];
    assert.ok(found);
    return found;
  };

  before(async () => {
    server = await startTestServer({ now: clock.now });
    const validators = STAKES.map(makeValidator);
    operators = await Promise.all(validators.map((validator) => makeOperator([validator])));
    const snapshot = await postSnapshot(server, snapshotOf(validators));
    for (const one of operators) expectStatus(await enrol(server, one), 200);
    story = await openStory(server, { snapshot });
  });
  after(() => server.close());

  it('commits once three officers have signed, and the commitment is public', async () => {
    const publicCommitments = async (): Promise<{ sha256: string; leafIndex: number | null }[]> =>
      (await server.client().get('/v1/commitments')).json<{ commitments: [] }>().commitments;
    assert.deepEqual(await publicCommitments(), []);
    await story.uploadCiphertext();
    await story.decide('commit');
    assert.equal(await story.status(), 'committed');
    const [commitment] = await publicCommitments();
    assert.equal(commitment?.sha256, story.sealed.plan.commitment);
    assert.equal(commitment.leafIndex, null);

    await server.sequence();
    const [covered] = await publicCommitments();
    const { leaves } = await checkLog(
      `${server.dataDirectory}/log`,
      server.root.logKey,
      verifyEd25519,
    );
    assert.equal(
      leaves[covered?.leafIndex ?? -1],
      formatLeaf({ type: 'commitment', sha256: story.sealed.plan.commitment }),
    );
  });

  it('notifies, relays notices, and takes acknowledgements with receipts', async () => {
    await story.putSignatures();
    await story.decide('notify');
    expectStatus(await story.notice(...operators), 200);
    const inbox = await server.client(operator(0).key).get('/v1/inbox');
    const [entry] = inbox.json<{ campaigns: { messages: unknown[]; counter: number }[] }>()
      .campaigns;
    assert.equal(entry?.messages.length, 1);

    const answer = expectStatus(await story.say(operator(0), 'ack'), 200);
    const { receipt, opening } = answer.json<{ receipt: string; opening: string }>();
    const { leafHash: promised } = openReceipt(
      receipt,
      server.root.origin,
      [server.root.logKey],
      verifyEd25519,
    );
    const document = fromBase64(opening);
    assert.equal(parseOpening(document).kind, 'statement');
    const leaf = formatLeaf({ type: 'sealed', sha256: sha256Hex(document) });
    assert.equal(toBase64(promised), toBase64(leafHash(utf8Encode(leaf))));
    await server.sequence();
    const { leaves } = await checkLog(
      `${server.dataDirectory}/log`,
      server.root.logKey,
      verifyEd25519,
    );
    assert.ok(leaves.includes(leaf));
  });

  it('arms, and publishes the targets to those who are enrolled', async () => {
    await story.decide('arm');
    assert.equal(await story.status(), 'armed');
    const asOperator = server.client(operator(0).key);
    const targets = expectStatus(await asOperator.get('/tuf/2.targets.json'), 200);
    assert.match(targets.text(), new RegExp(`bundles/${story.sealed.bundle.sha256}\\.age`));
    expectStatus(await asOperator.get('/tuf/2.snapshot.json'), 200);
    expectStatus(await server.client().get('/tuf/2.targets.json'), 401);
    const plan = expectStatus(await asOperator.get(`${story.path}/plan`), 200);
    assert.equal(sha256Hex(plan.bytes), story.sealed.planDigest);
    const bundle = await asOperator.get(`/blobs/sha256/${story.sealed.bundle.sha256}`);
    assert.equal(sha256Hex(bundle.bytes), story.sealed.bundle.sha256);
  });

  it('refuses shares before T0 and releases with the third one after it', async () => {
    expectStatus(await story.publishShare(officer(0), 'release'), 425);
    assert.ok(server.logged.some((line) => line['code'] === 'early_share'));
    const asOperator = server.client(operator(0).key);
    const shares = async (): Promise<unknown[]> =>
      (await asOperator.get(`${story.path}/shares`)).json<{ shares: unknown[] }>().shares;

    clock.advance(HOUR_MS);
    expectStatus(await story.publishShare(officer(0), 'release'), 200);
    expectStatus(await story.publishShare(officer(1), 'release'), 200);
    assert.deepEqual(await shares(), []);
    assert.equal(await story.status(), 'armed');
    expectStatus(await story.publishShare(officer(2), 'release'), 200);
    assert.equal((await shares()).length, 3);
    assert.equal(await story.status(), 'released');
  });

  it('is adopted strictly above two thirds of all stake, and says so once', async () => {
    expectStatus(await story.say(operator(0), 'attest'), 200);
    expectStatus(await story.say(operator(1), 'attest'), 200);
    assert.equal(await story.status(), 'released');
    clock.advance(1000);
    const crossedAt = clock.now();
    expectStatus(await story.say(operator(3), 'attest'), 200);
    assert.equal(await story.status(), 'adopted');
    clock.advance(1000);
    expectStatus(await story.say(operator(3), 'revert', { reason: 'it crashed' }), 200);
    expectStatus(await story.say(operator(3), 'attest'), 200);
    assert.equal(await story.status(), 'adopted');

    const events = (await asOfficer().get(`${story.path}/events`)).json<{
      events: { type: string; at: string; detail: string }[];
    }>().events;
    const adopted = events.filter(({ type }) => type === 'adopted');
    assert.deepEqual(
      adopted.map(({ at }) => Date.parse(at)),
      [crossedAt],
    );
    assert.deepEqual(
      events.filter(({ type }) => type === 'milestone').map(({ detail }) => detail),
      ['safety', 'supermajority'],
    );
  });

  it('shows officers the exact tally and operators a rounded one', async () => {
    const exact = (await asOfficer().get(`${story.path}/tally`)).json<Record<string, unknown>>();
    assert.equal(exact['attestedStake'], '61');
    assert.equal(exact['totalStake'], '90');
    assert.equal((exact['validators'] as unknown[]).length, 4);
    const rounded = (await server.client(operator(0).key).get(`${story.path}/tally`)).json<
      Record<string, unknown>
    >();
    assert.equal(rounded['attestedStake'], null);
    assert.equal(rounded['attestedPercent'], 67.7);
    assert.equal(rounded['validators'], null);
  });

  it('keeps everything over a restart', async () => {
    const before = (await asOfficer().get(story.path)).json();
    const tally = (await asOfficer().get(`${story.path}/tally`)).json();
    await server.restart();
    assert.deepEqual((await asOfficer().get(story.path)).json(), before);
    assert.deepEqual((await asOfficer().get(`${story.path}/tally`)).json(), tally);
  });

  it('discloses, opens with the third closing share, and publishes what was committed to', async () => {
    expectStatus(await story.publishShare(officer(0), 'closing'), 425);
    await story.decide('disclose', { reason: '' });
    assert.equal(await story.status(), 'disclosed');
    const anyone = server.client();
    expectStatus(await anyone.get(`${story.path}/documents/disclosure.md`), 425);
    for (const index of [0, 1, 2]) {
      expectStatus(await story.publishShare(officer(index), 'closing'), 200);
    }
    const view = (await anyone.get(story.path)).json<{ opened: boolean }>();
    assert.equal(view.opened, true);
    for (const [name, bytes] of story.sealed.documents) {
      const answer = expectStatus(await anyone.get(`${story.path}/documents/${name}`), 200);
      assert.equal(sha256Hex(answer.bytes), sha256Hex(bytes), name);
    }
    const { key } = (await anyone.get(`${story.path}/closing-key`)).json<{ key: string }>();
    assert.equal(key, story.sealed.keys.closing.identity);
  });

  it('accounts for every sealed leaf before the disclosure, and publishes what opens it', async () => {
    await server.sequence();
    await server.sequence();
    const { leaves } = await checkLog(
      `${server.dataDirectory}/log`,
      server.root.logKey,
      verifyEd25519,
    );
    const parsed: Leaf[] = leaves.map(parseLeaf);
    const end = parsed.findIndex(({ type }) => type === 'disclosure');
    assert.ok(end > 0);
    const sealed = parsed.flatMap((leaf, index) =>
      leaf.type === 'sealed' && index < end ? [{ index, sha256: leaf.sha256 }] : [],
    );
    const opened = parsed.flatMap((leaf) => (leaf.type === 'opened' ? [leaf.index] : []));
    const dummies = parsed.flatMap((leaf) =>
      leaf.type === 'dummy'
        ? Array.from({ length: leaf.last - leaf.first + 1 }, (_, i) => leaf.first + i)
        : [],
    );
    assert.ok(dummies.length > 0);
    assert.deepEqual(
      [...opened.filter((index) => index < end), ...dummies].sort((a, b) => a - b),
      sealed.map(({ index }) => index),
    );
    const { openings } = (await server.client().get(`${story.path}/openings`)).json<{
      openings: { index: number; opening: string }[];
    }>();
    const digests = new Map(
      openings.map(({ index, opening }) => [index, sha256Hex(fromBase64(opening))]),
    );
    const keys = parseDummyKeys((await server.client().get('/v1/dummies')).text());
    assert.equal(dummyKeysEnd(keys), end);
    const nonces = dummyNonces(keys);
    for (const index of dummies) {
      digests.set(index, sha256Hex(dummyOpening(nonces(index) ?? assert.fail())));
    }
    for (const { index, sha256 } of sealed) assert.equal(digests.get(index), sha256);
    assert.equal(parsed.filter(({ type }) => type === 'withheld').length, 0);
  });

  it('opens later leaves of a disclosed campaign, too', async () => {
    const answer = expectStatus(await story.say(operator(2), 'attest'), 200);
    const { opening } = answer.json<{ opening: string }>();
    await server.sequence();
    await server.sequence();
    const { leaves } = await checkLog(
      `${server.dataDirectory}/log`,
      server.root.logKey,
      verifyEd25519,
    );
    const parsed = leaves.map(parseLeaf);
    const disclosure = parsed.findIndex(({ type }) => type === 'disclosure');
    const sealed = sha256Hex(fromBase64(opening));
    const index = parsed.findIndex((leaf) => leaf.type === 'sealed' && leaf.sha256 === sealed);
    assert.ok(index > disclosure);
    assert.ok(parsed.some((leaf) => leaf.type === 'opened' && leaf.index === index));
    // Dummies after the disclosure may hide the next campaign.
    assert.ok(parsed.every((leaf) => leaf.type !== 'dummy' || leaf.last < disclosure));
    const { statements } = (await server.client().get(`${story.path}/statements`)).json<{
      statements: unknown[];
    }>();
    assert.equal(statements.length, 7);
  });
});
