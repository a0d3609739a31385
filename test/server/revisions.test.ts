import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { commitmentDigest, encodeCommitment } from '../../protocol/commitment/commitment.ts';
import { documentDigest, encodeDocument } from '../../protocol/commitment/document.ts';
import type { Plan } from '../../protocol/plan/plan.ts';
import { encodePlan, planDigest } from '../../protocol/plan/plan.ts';
import { seal } from '../../protocol/embargo/age.ts';
import { earlierName } from '../../protocol/embargo/closing-bundle.ts';
import { sealBundle } from '../../protocol/embargo/bundle.ts';
import { sha256Hex, toBase64, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { signEnvelope } from '../../protocol/signature/dsse.ts';
import { encodePublication } from '../../protocol/statement/share.ts';
import { HOUR_MS } from '../support/clock.ts';
import type { Answer } from '../support/session.ts';
import type { Story } from '../support/story.ts';
import { envelopeJson, expectStatus, problemOf } from '../support/story.ts';
import type { World } from '../support/world.ts';
import { openWorld } from '../support/world.ts';

describe('a revised plan', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
  });
  after(() => world.close());

  interface Revision {
    readonly plan: Plan;
    readonly bytes: Uint8Array;
    readonly closing: Uint8Array;
    readonly disclosure: Uint8Array;
  }
  /** The same plan with another text of the disclosure. */
  const revise = async ({ sealed }: Story): Promise<Revision> => {
    const nonce = (): string => randomBytes(32).toString('hex');
    const body = utf8Encode('# What really happened\n');
    const disclosure = encodeDocument({
      type: 'disclosure',
      campaign: sealed.id,
      nonce: nonce(),
      body,
    });
    const documents = [
      { name: 'COMMITMENT', sha256: sealed.plan.commitment },
      ...sealed.plan.documents.map((it) =>
        it.name === 'disclosure.md' ? { ...it, sha256: documentDigest(disclosure) } : it,
      ),
    ];
    const list = encodeCommitment(documents);
    const earlier = [...sealed.documents].map(([name, bytes]) => {
      return [name === 'COMMITMENT' ? name : earlierName(1, name), bytes] as const;
    });
    const files = new Map([
      ...sealed.documents,
      ...earlier,
      ['disclosure.md', disclosure],
      ['COMMITMENT.r2', list],
    ] as const);
    const closing = await sealBundle(files, sealed.plan.closingRecipient);
    const plan: Plan = {
      ...sealed.plan,
      nonce: nonce(),
      revision: 2,
      documents,
      commitment: commitmentDigest(list),
      closingBundle: { sha256: sha256Hex(closing), size: closing.length },
    };
    return { plan, bytes: encodePlan(plan), closing, disclosure };
  };
  const upload = (story: Story, { bytes }: Revision): Promise<Answer> =>
    world.server.client(world.officer(0).signing).post('/v1/campaigns', {
      plan: toBase64(bytes),
      custody: story.sealed.custody.map((it) => ({ ...it, sealed: toBase64(it.sealed) })),
    });

  it('takes the place of the one in force by a directive, and only then', async () => {
    const { server, clock } = world;
    const story = await world.another();
    await story.arm();
    const revision = await revise(story);
    const officer = server.client(world.officer(0).signing);
    const digest = planDigest(revision.bytes);

    assert.deepEqual(expectStatus(await upload(story, revision), 200).json(), {
      campaign: story.sealed.id,
      plan: digest,
    });
    expectStatus(await upload(story, revision), 200);
    const view = async (): Promise<{ revision: number; plan: string; releaseTime: string }> =>
      (await officer.get(story.path)).json();
    assert.equal((await view()).revision, 1);
    const proposed = expectStatus(await officer.get(`${story.path}/plan?plan=${digest}`), 200);
    assert.deepEqual(proposed.bytes, revision.bytes);
    const custody = (await officer.get(`${story.path}/custody?plan=${digest}`)).json<{
      custody: unknown[];
    }>();
    assert.equal(custody.custody.length, 2);
    const asOperator = server.client(world.operator(0).key);
    const hidden = await asOperator.get(`${story.path}/plan?plan=${digest}`);
    assert.equal(hidden.status, 404, 'operators do not get a plan that may never be in force');
    assert.equal((await officer.get(`${story.path}/plan?plan=${'0'.repeat(64)}`)).status, 404);

    const commit = { plan: digest, revision: 2, to: 'armed', reason: 'a wrong sentence' } as const;
    const { closingBundle } = revision.plan;
    const { sha256 } = closingBundle;
    const next = await story.directive('commit', commit);
    const early = await story.submit(world.officer(0), next, closingBundle);
    assert.deepEqual(problemOf(early), { status: 409, type: 'conflict' });
    expectStatus(await officer.put(`/blobs/sha256/${sha256}`, revision.closing), 204);
    assert.equal((await asOperator.get(`/blobs/sha256/${sha256}`)).status, 404);
    const unlisted = await story.submit(world.officer(0), next);
    assert.deepEqual(problemOf(unlisted), { status: 422, type: 'refused' });
    const before = await view();
    await story.decide('commit', commit, closingBundle);
    const now = await view();
    assert.deepEqual([now.revision, now.plan], [2, digest]);
    assert.equal(now.releaseTime, before.releaseTime);
    expectStatus(await asOperator.get(`/blobs/sha256/${sha256}`), 200);
    for (const [plan, bytes] of [
      [story.sealed.planDigest, story.sealed.planBytes],
      [digest, revision.bytes],
    ] as const) {
      const found = expectStatus(await asOperator.get(`${story.path}/plan?plan=${plan}`), 200);
      assert.deepEqual(found.bytes, bytes);
    }
    const { commitments } = (await server.client().get('/v1/commitments')).json<{
      commitments: { sha256: string }[];
    }>();
    assert.equal(commitments.at(-1)?.sha256, revision.plan.commitment);

    await server.restart();
    assert.deepEqual(await view(), now);

    // A share that the plan in force lists as well is good, whichever revision it was published for.
    clock.advance(HOUR_MS);
    expectStatus(await story.publishShare(world.officer(0), 'release'), 200);
    const publish = async (index: number, key: 'release' | 'closing'): Promise<Answer> => {
      const { id, signing } = world.officer(index);
      const document = story.sealed.shares[key].get(id) ?? new Uint8Array();
      const payload = encodePublication({
        kind: 'share',
        key,
        campaign: story.sealed.id,
        network: revision.plan.network,
        revision: 2,
        officer: id,
        commitment: sha256Hex(document),
        sealed:
          key === 'closing' ? document : await seal(document, [revision.plan.accessRecipient]),
      });
      const envelope = envelopeJson(signEnvelope(payload, signing));
      return server.client(signing).post(`${story.path}/shares`, { envelope });
    };
    assert.equal((await publish(0, 'release')).status, 409, 'it is out already');
    for (const index of [1, 2]) expectStatus(await publish(index, 'release'), 200);
    assert.equal(await story.status(), 'released');
    // What runs does not end with a new wording: the patch is the same one.
    const tally = async (): Promise<string> =>
      (await officer.get(`${story.path}/tally`)).json<{ attestedStake: string }>().attestedStake;
    expectStatus(await story.say(world.operator(0), 'attest'), 200);
    expectStatus(await story.say(world.operator(1), 'attest', { revision: 2 }), 200);
    assert.equal(await tally(), '60');
    await server.restart();
    assert.equal(await tally(), '60');
    assert.equal(problemOf(await story.say(world.operator(0), 'ack')).code, 'statement_invalid');

    const disclose = { plan: digest, revision: 2, override: true, reason: 'done' } as const;
    await story.decide('disclose', disclose);
    for (const index of [0, 1, 2]) expectStatus(await publish(index, 'closing'), 200);
    const document = await server.client().get(`${story.path}/documents/disclosure.md`);
    assert.deepEqual(document.bytes, revision.disclosure);
    expectStatus(await server.client().get(`${story.path}/documents/COMMITMENT`), 200);
    expectStatus(await server.client().get(`${story.path}/documents/COMMITMENT.r2`), 200);
  });

  it('is refused when it is not the next revision, and when there are too many to choose from', async () => {
    const story = await world.another();
    const revision = await revise(story);
    const skipped = { ...revision.plan, revision: 3 };
    assert.throws(() => encodePlan(skipped), { code: 'plan_invalid' });
    const answers: number[] = [];
    for (let i = 0; i < 17; i++) answers.push((await upload(story, await revise(story))).status);
    assert.equal(answers.filter((status) => status === 200).length, 16);
    assert.equal(answers.at(-1), 409);
  });
});
