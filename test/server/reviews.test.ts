import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { formatTime } from '../../protocol/encoding/time.ts';
import { fromBase64 } from '../../protocol/encoding/bytes.ts';
import { parseOpening } from '../../protocol/log/opening.ts';
import type { Envelope } from '../../protocol/signature/dsse.ts';
import { signEnvelope } from '../../protocol/signature/dsse.ts';
import type { Signer } from '../../protocol/signature/ed25519.ts';
import type { Review } from '../../protocol/statement/review.ts';
import { encodeReview } from '../../protocol/statement/review.ts';
import { signerNamed, vouchersOf } from '../protocol/trust/network.ts';
import { digestNamed } from '../protocol/plan/plans.ts';
import type { Answer } from '../support/session.ts';
import type { Story } from '../support/story.ts';
import { envelopeJson, expectStatus, problemOf } from '../support/story.ts';
import type { World } from '../support/world.ts';
import { openWorld } from '../support/world.ts';

// Two of three named firms have to review; dora is a reviewer that no plan names.

const keyOf = (firm: string): Signer => signerNamed(`${firm} review`);

describe('reviews at the server', () => {
  let world: World;
  before(async () => {
    world = await openWorld({
      vouchers: vouchersOf(['acme', 'bolt', 'coda', 'dora'], []),
      reviews: { required: 2, by: ['acme', 'bolt', 'coda'] },
    });
  });
  after(() => world.close());

  const review = (firm: string, changes: Partial<Review> = {}, story = world.story): Envelope => {
    const { plan, planDigest } = story.sealed;
    const release = plan.documents.find(({ name }) => name === 'release.txt')?.sha256 ?? '';
    const { campaign, network, revision } = plan;
    const issuedAt = formatTime(world.clock.now());
    const about = { release, campaign, network, revision, plan: planDigest };
    const payload = encodeReview({ ...about, verdict: 'sound', firm, issuedAt, ...changes });
    return signEnvelope(payload, keyOf(firm));
  };
  const submit = (
    envelope: Envelope,
    signer?: Signer,
    id = world.story.sealed.id,
  ): Promise<Answer> =>
    world.server
      .client(signer)
      .post(`/v1/campaigns/${id}/reviews`, { envelope: envelopeJson(envelope) });
  const say = (firm: string, changes: Partial<Review> = {}, story?: Story): Promise<Answer> =>
    submit(review(firm, changes, story), keyOf(firm), story?.sealed.id);
  const armable = async (story: Story): Promise<void> => {
    await story.uploadCiphertext();
    await story.decide('commit');
    await story.putSignatures();
  };
  const refusesArm = async (story: Story): Promise<void> => {
    const answer = await story.submit(world.officer(0), await story.directive('arm'));
    assert.deepEqual(problemOf(answer), { status: 422, type: 'refused', code: 'threshold_unmet' });
  };

  it('come from firms that a plan names, in a session of their own, and from nobody else', async () => {
    await armable(world.story);
    const envelope = review('acme');
    for (const [signer, status] of [
      [undefined, 401],
      [world.officer(0).signing, 403],
      [world.operator(0).key, 403],
      [keyOf('dora'), 404],
    ] as const) {
      assert.equal((await submit(envelope, signer)).status, status);
    }
    // Another firm's word does not pass in this one's session.
    assert.equal((await submit(review('bolt'), keyOf('acme'))).status, 422);
  });

  it('are of a plan that is here, and fit it', async () => {
    for (const changes of [
      { plan: digestNamed('another plan') },
      { revision: 2 },
      { release: digestNamed('another patch') },
    ]) {
      assert.equal((await say('acme', changes)).status, 422);
    }
  });

  it('hide which campaigns there are from firms that are not asked', async () => {
    const unknown = await submit(review('dora'), keyOf('dora'), 'SDX-2026-ZZZZ');
    const hidden = await submit(review('dora'), keyOf('dora'));
    assert.equal(hidden.text(), unknown.text());
    const client = world.server.client(keyOf('acme'));
    for (const path of ['', '/plan', '/directives', '/reviews', '/statements', '/events']) {
      const answer = await client.get(`/v1/campaigns/${world.story.sealed.id}${path}`);
      assert.equal(answer.status, 404, path);
    }
    assert.equal((await client.get('/tuf/timestamp.json')).status, 403);
  });

  it('are made by reading ciphertext, which is handed to the firms asked and to no others', async () => {
    const { sha256, size } = world.story.sealed.bundle;
    const read = (signer: Signer): Promise<Answer> =>
      world.server.client(signer).get(`/blobs/sha256/${sha256}`);
    assert.equal(expectStatus(await read(keyOf('acme')), 200).bytes.length, size);
    assert.equal((await read(keyOf('dora'))).status, 404);
    assert.equal((await read(world.operator(0).key)).status, 404);
  });

  it('are answered with a receipt and an opening, the same for the same review', async () => {
    const envelope = review('acme');
    const first = expectStatus(await submit(envelope, keyOf('acme')), 200);
    const { opening } = first.json<{ opening: string }>();
    assert.equal(parseOpening(fromBase64(opening)).kind, 'review');
    const again = expectStatus(await submit(envelope, keyOf('acme')), 200);
    assert.equal(again.text(), first.text());
    const later = formatTime(world.clock.now() + 60_000);
    assert.equal((await say('acme', { issuedAt: later })).status, 409);
  });

  it('keep a campaign from being armed until enough firms have found it sound', async () => {
    const { story } = world;
    await refusesArm(story);
    expectStatus(await say('bolt', { verdict: 'unsound' }), 200);
    // Whoever warned cannot be made to count by a word from before, or after.
    expectStatus(await say('bolt'), 200);
    await refusesArm(story);
    await world.server.restart();
    await refusesArm(story);
    expectStatus(await say('coda'), 200);
    await story.decide('arm');
    assert.equal(await story.status(), 'armed');
  });

  it('do not count for another campaign', async () => {
    const other = await world.another();
    await armable(other);
    for (const firm of ['acme', 'coda']) {
      assert.equal((await submit(review(firm), keyOf(firm), other.sealed.id)).status, 422);
    }
    await refusesArm(other);
    for (const firm of ['acme', 'coda']) expectStatus(await say(firm, {}, other), 200);
    expectStatus(await other.submit(world.officer(0), await other.directive('arm')), 200);
  });

  it('are shown to officers, once armed to operators, and to nobody else before the disclosure', async () => {
    const path = `/v1/campaigns/${world.story.sealed.id}/reviews`;
    const officer = world.server.client(world.officer(1).signing);
    const { reviews } = expectStatus(await officer.get(path), 200).json<{ reviews: unknown[] }>();
    assert.equal(reviews.length, 4);
    const operator = world.server.client(world.operator(0).key);
    const seen = expectStatus(await operator.get(path), 200).json<{ reviews: unknown[] }>();
    assert.deepEqual(seen.reviews, reviews);
    const third = await world.another();
    await armable(third);
    await third.decide('notify');
    expectStatus(await third.notice(world.operator(0)), 200);
    expectStatus(await say('acme', {}, third), 200);
    assert.equal((await operator.get(`${third.path}/reviews`)).status, 403);
    assert.equal((await world.server.client().get(path)).status, 404);
  });
});
