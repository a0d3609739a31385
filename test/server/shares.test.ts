import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { generateSeed, signerFromSeed } from '../../platform/ed25519.ts';
import { generateKey, seal } from '../../protocol/embargo/age.ts';
import { sha256Hex, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { signEnvelope } from '../../protocol/signature/dsse.ts';
import type { Signer } from '../../protocol/signature/ed25519.ts';
import type { ReleaseKeyPublication, SharePublication } from '../../protocol/statement/share.ts';
import { encodePublication } from '../../protocol/statement/share.ts';
import { DAY_MS, HOUR_MS } from '../support/clock.ts';
import type { TestOfficer } from '../support/officers.ts';
import type { Answer } from '../support/session.ts';
import type { Story } from '../support/story.ts';
import { envelopeJson, expectStatus, openStory, problemOf } from '../support/story.ts';
import type { World } from '../support/world.ts';
import { openWorld } from '../support/world.ts';

describe('shares and keys', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
  });
  after(() => world.close());

  const armed = async (): Promise<Story> => {
    const story = await world.another();
    await story.arm();
    return story;
  };
  const post = (
    story: Story,
    as: TestOfficer,
    envelope: ReturnType<typeof signEnvelope>,
    path = 'shares',
  ): Promise<Answer> =>
    world.server
      .client(as.signing)
      .post(`${story.path}/${path}`, { envelope: envelopeJson(envelope) });

  /** A share as `officer` would publish it, with what a test changes. */
  const shareBy = async (
    story: Story,
    officer: TestOfficer,
    changes: Partial<SharePublication> = {},
    by: Signer = officer.signing,
  ): Promise<ReturnType<typeof signEnvelope>> => {
    const { plan, shares } = story.sealed;
    const document = shares.release.get(officer.id) ?? new Uint8Array();
    const payload = encodePublication({
      kind: 'share',
      key: 'release',
      campaign: plan.campaign,
      network: plan.network,
      revision: plan.revision,
      officer: officer.id,
      commitment: sha256Hex(document),
      sealed: await seal(document, [plan.accessRecipient]),
      ...changes,
    });
    return signEnvelope(payload, by);
  };
  const keyBy = async (
    story: Story,
    officer: TestOfficer,
    changes: Partial<ReleaseKeyPublication> = {},
  ): Promise<ReturnType<typeof signEnvelope>> => {
    const { plan, keys } = story.sealed;
    const payload = encodePublication({
      kind: 'release-key',
      campaign: plan.campaign,
      network: plan.network,
      revision: plan.revision,
      officer: officer.id,
      recipient: sha256Hex(utf8Encode(plan.releaseRecipient)),
      sealed: await seal(utf8Encode(`${keys.release.identity}\n`), [plan.accessRecipient]),
      ...changes,
    });
    return signEnvelope(payload, officer.signing);
  };

  it('are refused until the very second of T0, each time with an alarm', async () => {
    const story = await armed();
    const alarms = (): number =>
      world.server.logged.filter(
        (line) => line['code'] === 'early_share' && line['campaign'] === story.sealed.id,
      ).length;
    const t0 = Date.parse(story.sealed.plan.releaseTime);
    assert.deepEqual(problemOf(await story.publishShare(world.officer(0), 'release')), {
      status: 425,
      type: 'not_released',
    });
    world.clock.set(t0 - 1);
    assert.equal((await story.publishShare(world.officer(0), 'release')).status, 425);
    assert.equal(alarms(), 2);
    assert.equal(
      (await post(story, world.officer(0), await keyBy(story, world.officer(0)), 'release-key'))
        .status,
      425,
    );
    world.clock.set(t0);
    expectStatus(await story.publishShare(world.officer(0), 'release'), 200);
    assert.equal(alarms(), 3);
  });

  it('follow the clock, not a timer: after a jump ahead and back nothing stays open', async () => {
    const story = await armed();
    const before = world.clock.now();
    world.clock.advance(400 * DAY_MS);
    world.clock.set(before);
    assert.equal((await story.publishShare(world.officer(0), 'release')).status, 425);
    world.clock.advance(HOUR_MS);
    await world.server.restart();
    expectStatus(await story.publishShare(world.officer(0), 'release'), 200);
  });

  it('are refused in a campaign that is not armed, whatever the hour', async () => {
    const story = await world.another();
    world.clock.advance(2 * HOUR_MS);
    assert.equal((await story.publishShare(world.officer(0), 'release')).status, 425);
    await story.uploadCiphertext();
    await story.decide('commit');
    assert.equal((await story.publishShare(world.officer(0), 'release')).status, 425);
  });

  it('are refused when they are not what the plan gives this officer', async () => {
    const story = await armed();
    const other = await armed();
    world.clock.advance(HOUR_MS);
    const [alice, bob] = [world.officer(0), world.officer(1)];
    const stranger = signerFromSeed(generateSeed());
    const bobs = story.sealed.shares.release.get('bob') ?? new Uint8Array();
    const document = story.sealed.shares.release.get('alice') ?? new Uint8Array();
    const attempts: Record<string, [Answer, number]> = {
      'share of another officer': [
        await post(story, alice, await shareBy(story, alice, { commitment: sha256Hex(bobs) })),
        422,
      ],
      'in the name of another': [
        await post(story, alice, await shareBy(story, bob, {}, alice.signing)),
        422,
      ],
      'relayed for another': [await post(story, alice, await shareBy(story, bob)), 422],
      'by a stranger': [await post(story, alice, await shareBy(story, alice, {}, stranger)), 422],
      'by the root key': [
        await post(story, alice, await shareBy(story, alice, {}, alice.root)),
        422,
      ],
      'for another campaign': [
        await post(story, alice, await shareBy(story, alice, { campaign: other.sealed.id })),
        422,
      ],
      'for another network': [
        await post(
          story,
          alice,
          await shareBy(story, alice, { network: 'solana:11111111111111111111111111111111' }),
        ),
        422,
      ],
      'for another revision': [
        await post(story, alice, await shareBy(story, alice, { revision: 2 })),
        422,
      ],
      'of another campaign': [await post(story, alice, await shareBy(other, alice)), 422],
      'in clear': [
        await post(story, alice, await shareBy(story, alice, { sealed: document })),
        422,
      ],
      'a key instead': [await post(story, alice, await keyBy(story, alice)), 422],
      'a statement instead': [
        await post(story, alice, story.statement(world.operator(0), 'ack')),
        422,
      ],
    };
    for (const [name, [answer, status]] of Object.entries(attempts)) {
      assert.equal(answer.status, status, `${name}: ${answer.text()}`);
    }
    const view = (await world.server.client(alice.signing).get(story.path)).json<{
      shares: { published: string[] };
    }>();
    assert.deepEqual(view.shares.published, []);
  });

  it('count once each, and the same again gets the same receipt', async () => {
    const story = await armed();
    world.clock.advance(HOUR_MS);
    const alice = world.officer(0);
    const envelope = await shareBy(story, alice);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => post(story, alice, envelope)),
    );
    const [first] = answers;
    for (const answer of answers) {
      assert.deepEqual(expectStatus(answer, 200).json(), first?.json());
    }
    const sealedAnew = await post(story, alice, await shareBy(story, alice));
    assert.deepEqual(problemOf(sealedAnew), { status: 409, type: 'conflict' });
    assert.equal(await story.status(), 'armed');
  });

  it('release with the threshold, also when all come at once', async () => {
    const story = await armed();
    world.clock.advance(HOUR_MS);
    const answers = await Promise.all(
      world.server.officers.map((officer) => story.publishShare(officer, 'release')),
    );
    for (const answer of answers) expectStatus(answer, 200);
    const client = world.server.client(world.officer(0).signing);
    const { events } = (await client.get(`${story.path}/events`)).json<{
      events: { type: string; detail: string }[];
    }>();
    assert.equal(events.filter(({ type }) => type === 'released').length, 1);
    assert.equal(events.filter(({ type }) => type === 'share').length, 5);
    const { shares } = (await client.get(`${story.path}/shares`)).json<{ shares: unknown[] }>();
    assert.equal(shares.length, 5);
  });

  it('hand out the release key only once it is released', async () => {
    const story = await armed();
    world.clock.advance(HOUR_MS);
    const alice = world.officer(0);
    const asOperator = world.server.client(world.operator(0).key);
    const key = await keyBy(story, alice);
    assert.equal((await post(story, alice, key, 'release-key')).status, 425);
    assert.deepEqual(problemOf(await asOperator.get(`${story.path}/release-key`)), {
      status: 425,
      type: 'not_released',
    });
    await story.release();
    assert.equal((await asOperator.get(`${story.path}/release-key`)).status, 425);
    const { recipient } = await generateKey();
    const wrong = await keyBy(story, alice, { recipient: sha256Hex(utf8Encode(recipient)) });
    assert.equal((await post(story, alice, wrong, 'release-key')).status, 422);
    const plain = await keyBy(story, alice, {
      sealed: utf8Encode(story.sealed.keys.release.identity),
    });
    assert.deepEqual(problemOf(await post(story, alice, plain, 'release-key')), {
      status: 422,
      type: 'refused',
    });
    expectStatus(await post(story, alice, key, 'release-key'), 200);
    const { envelope } = expectStatus(await asOperator.get(`${story.path}/release-key`), 200).json<{
      envelope: unknown;
    }>();
    assert.deepEqual(envelope, envelopeJson(key));
  });

  it('of the closing key wait for the disclosure, and bad ones never count', async () => {
    const story = await armed();
    world.clock.advance(HOUR_MS);
    await story.release();
    assert.equal((await story.publishShare(world.officer(0), 'closing')).status, 425);
    await story.decide('disclose', { override: true, reason: 'the press knows' });
    const alice = world.officer(0);
    const planned = story.sealed.shares.closing.get('alice') ?? new Uint8Array();
    const bad = await shareBy(story, alice, {
      key: 'closing',
      commitment: sha256Hex(planned),
      sealed: story.sealed.shares.closing.get('bob') ?? new Uint8Array(),
    });
    assert.equal(problemOf(await post(story, alice, bad)).code, 'commitment_mismatch');
    for (const index of [0, 1, 2]) {
      expectStatus(await story.publishShare(world.officer(index), 'closing'), 200);
    }
    const anyone = world.server.client();
    assert.equal((await anyone.get(story.path)).json<{ opened: boolean }>().opened, true);
    const { shares } = (await anyone.get(`${story.path}/shares`)).json<{ shares: unknown[] }>();
    assert.equal(shares.length, 6);
  });

  it('open the disclosure at the latest date without any directive', async () => {
    const { server, clock, snapshot } = world;
    const story = await openStory(server, { snapshot, latestInMs: 3 * HOUR_MS });
    await story.arm();
    clock.advance(3 * HOUR_MS - 1000);
    await story.release();
    assert.equal((await story.publishShare(world.officer(0), 'closing')).status, 425);
    clock.advance(1000);
    for (const index of [0, 1]) {
      expectStatus(await story.publishShare(world.officer(index), 'closing'), 200);
    }
    assert.equal(await story.status(), 'released');
    assert.deepEqual(problemOf(await server.client().get(story.path)), {
      status: 404,
      type: 'not_found',
    });
    const asOperator = server.client(world.operator(0).key);
    const hidden = (await asOperator.get(`${story.path}/shares`)).json<{ shares: unknown[] }>();
    assert.equal(hidden.shares.length, 3, 'closing shares are held back until there are enough');
    expectStatus(await story.publishShare(world.officer(2), 'closing'), 200);
    assert.equal(await story.status(), 'disclosed');
    const document = await server.client().get(`${story.path}/documents/disclosure.md`);
    assert.deepEqual(document.bytes, story.sealed.documents.get('disclosure.md'));
  });

  it('come out at once when the embargo has leaked', async () => {
    const story = await armed();
    assert.equal((await story.publishShare(world.officer(0), 'release')).status, 425);
    await story.decide('leaked', { reason: 'it is on a forum' });
    await story.release();
    const anyone = world.server.client();
    const { shares } = (await anyone.get(`${story.path}/shares`)).json<{ shares: unknown[] }>();
    assert.equal(shares.length, 3);
    assert.equal(await story.status(), 'disclosed');
  });
});
