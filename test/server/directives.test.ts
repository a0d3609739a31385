import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import Database from 'better-sqlite3';
import type { z } from 'zod';

import { verifyEd25519 } from '../../platform/ed25519.ts';
import type { directiveResponse } from '../../protocol/api/directive.ts';
import { seal } from '../../protocol/embargo/age.ts';
import { fromBase64, toBase64, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { formatTime } from '../../protocol/encoding/time.ts';
import { formatLeaf } from '../../protocol/log/leaf.ts';
import { leafHash } from '../../protocol/log/merkle.ts';
import { parseOpening, sealedLeaf } from '../../protocol/log/opening.ts';
import { openReceipt } from '../../protocol/log/receipt.ts';
import { parseEnvelope, signEnvelope } from '../../protocol/signature/dsse.ts';
import type { Directive } from '../../protocol/campaign/directive.ts';
import { encodeDirective, verifyDirective } from '../../protocol/campaign/directive.ts';
import { sealCampaign } from '../support/campaign.ts';
import { checkLog } from '../support/check-log.ts';
import { HOUR_MS, MINUTE_MS } from '../support/clock.ts';
import type { TestOfficer } from '../support/officers.ts';
import { signTargets } from '../support/officers.ts';
import type { Answer } from '../support/session.ts';
import type { Story } from '../support/story.ts';
import { envelopeJson, expectStatus, problemOf } from '../support/story.ts';
import type { World } from '../support/world.ts';
import { openWorld } from '../support/world.ts';

type DirectiveAnswer = z.infer<typeof directiveResponse>;

describe('directives', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
  });
  after(() => world.close());

  /** A campaign of its own with its ciphertext uploaded. */
  const draft = async (): Promise<Story> => {
    const story = await world.another();
    await story.uploadCiphertext();
    return story;
  };
  /** Submit as one officer what may be signed by others. */
  const submit = async (
    story: Story,
    as: TestOfficer,
    directive: Directive,
    options: {
      readonly signers?: readonly TestOfficer[];
      readonly body?: Record<string, unknown>;
    } = {},
  ): Promise<Answer> => {
    const { signers = [as], body } = options;
    const { releaseRecipient } = story.sealed.plan;
    const attachment = toBase64(await seal(utf8Encode('signatures'), [releaseRecipient]));
    return world.server.client(as.signing).post(`${story.path}/directives`, {
      envelope: envelopeJson(
        signEnvelope(encodeDirective(directive), ...signers.map(({ signing }) => signing)),
      ),
      ...(body ?? (directive.action === 'commit' ? { attachment } : {})),
    });
  };
  const pending = async (story: Story): Promise<{ signatures: unknown[] } | undefined> => {
    const asOfficer = world.server.client(world.officer(0).signing);
    const answer = expectStatus(await asOfficer.get(`${story.path}/directives`), 200);
    const body = answer.json<{ pending: { envelope: { signatures: [] } } | null }>();
    return body.pending?.envelope;
  };

  it('take as many people as the root says, each counted once', async () => {
    const story = await draft();
    const commit = await story.directive('commit');
    for (const [index, expected] of [
      [0, ['alice']],
      [0, ['alice']],
      [1, ['alice', 'bob']],
      [1, ['alice', 'bob']],
    ] as const) {
      const answer = expectStatus(await submit(story, world.officer(index), commit), 200);
      const { completed, signed, receipt } = answer.json<DirectiveAnswer>();
      assert.deepEqual([completed, receipt], [false, null]);
      assert.deepEqual(signed, expected);
    }
    assert.equal(await story.status(), 'draft');
    assert.equal((await pending(story))?.signatures.length, 2);
    const last = expectStatus(await submit(story, world.officer(2), commit), 200);
    const { receipt, ...rest } = last.json<DirectiveAnswer>();
    assert.ok(receipt);
    assert.deepEqual(rest, {
      completed: true,
      signed: ['alice', 'bob', 'carol'],
      threshold: 3,
      status: 'committed',
    });
    assert.equal(await pending(story), undefined);
  });

  it('come with a promise of their leaf once they have all their signatures', async () => {
    const { root } = world.server;
    const story = await draft();
    const commit = await story.directive('commit');
    const receiptFor = async (index: number): Promise<DirectiveAnswer['receipt']> =>
      expectStatus(await submit(story, world.officer(index), commit), 200).json<DirectiveAnswer>()
        .receipt;
    assert.equal(await receiptFor(0), null);
    assert.equal(await receiptFor(1), null);
    const receipt = await receiptFor(2);
    assert.ok(receipt);
    const opening = fromBase64(receipt.opening);
    const promise = openReceipt(receipt.receipt, root.origin, [root.logKey], verifyEd25519);
    const leaf = formatLeaf(sealedLeaf(opening));
    assert.deepEqual(promise.leafHash, leafHash(utf8Encode(leaf)));
    const { kind, campaign, content } = parseOpening(opening);
    assert.deepEqual([kind, campaign], ['directive', story.sealed.id]);
    const { people } = verifyDirective(parseEnvelope(content), new Map([[1, root]]), verifyEd25519);
    assert.deepEqual(people, ['alice', 'bob', 'carol']);

    // The same to whoever sends it again, in another life of the server, and with a later clock.
    assert.deepEqual(await receiptFor(0), receipt);
    world.clock.advance(MINUTE_MS);
    await world.server.restart();
    assert.deepEqual(await receiptFor(1), receipt);
    assert.deepEqual(await receiptFor(3), receipt);
    await world.server.sequence();
    const folder = join(world.server.dataDirectory, 'log');
    const { leaves } = await checkLog(folder, root.logKey, verifyEd25519);
    assert.equal(leaves.filter((it) => it === leaf).length, 1);

    // As the release before has left it; that the column is read shows in what stands there.
    const database = new Database(join(world.server.dataDirectory, 'sealdrop.sqlite'));
    try {
      const set = database.prepare('UPDATE directives SET receipt = ? WHERE campaign = ?');
      set.run('changed', story.sealed.id);
      assert.equal((await receiptFor(2))?.receipt, 'changed');
      set.run(null, story.sealed.id);
      assert.deepEqual(await receiptFor(2), receipt);
    } finally {
      database.close();
    }
  });

  it('are answered the same again after they have completed, and change nothing then', async () => {
    const story = await draft();
    const commit = await story.directive('commit');
    for (const index of [0, 1, 2]) await submit(story, world.officer(index), commit);
    const again = expectStatus(await submit(story, world.officer(2), commit), 200);
    assert.equal(again.json<{ completed: boolean }>().completed, true);
    const late = expectStatus(await submit(story, world.officer(3), commit), 200);
    assert.deepEqual(late.json<{ signed: string[] }>().signed, ['alice', 'bob', 'carol']);
    const asOfficer = world.server.client(world.officer(0).signing);
    const view = (await asOfficer.get(story.path)).json<{ sequence: number }>();
    assert.equal(view.sequence, 1);
  });

  it('are refused when they do not follow, are for something else, or come at the wrong time', async () => {
    const story = await draft();
    const commit = await story.directive('commit');
    const other = await world.another();
    const now = world.clock.now();
    const wrong: Record<string, Partial<Directive>> = {
      'another campaign': { campaign: other.sealed.id },
      'another network': { network: 'solana:11111111111111111111111111111111' },
      'the plan of another campaign': { plan: other.sealed.planDigest },
      'an unknown plan': { plan: '00'.repeat(32) },
      'an exercise': { exercise: true },
      'another root': { rootVersion: 2 },
      'a later number': { sequence: 2, previous: '00'.repeat(32) },
      'another state': { action: 'notify', from: 'committed', to: 'notified' },
      'another revision': { revision: 2 },
      expired: { issuedAt: formatTime(now - HOUR_MS), expiresAt: formatTime(now) },
      'from the future': {
        issuedAt: formatTime(now + 6 * MINUTE_MS),
        expiresAt: formatTime(now + HOUR_MS),
      },
    };
    for (const [name, changes] of Object.entries(wrong)) {
      const directive = { ...commit, ...changes };
      const answer = await submit(story, world.officer(0), directive);
      assert.equal(answer.status, 422, `${name}: ${answer.text()}`);
    }
    assert.equal(await pending(story), undefined);
  });

  it('do not count a stranger, and one stranger spoils the envelope', async () => {
    const story = await draft();
    const commit = await story.directive('commit');
    const stranger = { ...world.officer(0), signing: world.operator(0).key };
    const answer = await submit(story, world.officer(0), commit, {
      signers: [world.officer(0), stranger],
    });
    assert.deepEqual(problemOf(answer), {
      status: 422,
      type: 'refused',
      code: 'signature_invalid',
    });
    const root = { ...world.officer(0), signing: world.officer(0).root };
    const byRootKey = await submit(story, world.officer(0), commit, { signers: [root] });
    assert.equal(problemOf(byRootKey).code, 'signature_invalid');
    const forOther = await submit(story, world.officer(0), commit, { signers: [world.officer(1)] });
    assert.deepEqual(problemOf(forOther), { status: 422, type: 'refused' });
  });

  it('need what the next step relies on', async () => {
    const story = await world.another();
    const commit = await story.directive('commit');
    const early = await submit(story, world.officer(0), commit);
    assert.deepEqual(problemOf(early), { status: 409, type: 'conflict' });
    await story.uploadCiphertext();
    const without = await submit(story, world.officer(0), commit, { body: {} });
    assert.equal(without.status, 422);
    const plaintext = { attachment: toBase64(utf8Encode('-----BEGIN PGP SIGNATURE-----')) };
    const plain = await submit(story, world.officer(0), commit, { body: plaintext });
    assert.deepEqual(problemOf(plain), { status: 422, type: 'refused' });
    await story.decide('commit');
    const arm = await story.directive('arm');
    const unsigned = await story.submit(world.officer(0), arm);
    assert.deepEqual(problemOf(unsigned), { status: 409, type: 'conflict' });
  });

  it('take targets with arm only, by the same officer, of the next version and with every bundle', async () => {
    const story = await draft();
    await story.decide('commit');
    await story.putSignatures();
    const arm = await story.directive('arm');
    const [first, second] = [world.officer(0), world.officer(1)];
    const { bundles } = story.sealed.plan;
    const unknown = { sha256: 'cd'.repeat(32), size: 9 };
    const at = world.clock.now();
    const wrong: Record<string, Uint8Array | undefined> = {
      none: undefined,
      'by another officer': signTargets(2, bundles, [second], at),
      'of another version': signTargets(3, bundles, [first], at),
      'of the version before': signTargets(1, bundles, [first], at),
      'without the bundle': signTargets(2, [], [first], at),
      'with a bundle nobody uploaded': signTargets(2, [...bundles, unknown], [first], at),
      'with another size': signTargets(
        2,
        bundles.map((it) => ({ ...it, size: 9 })),
        [first],
        at,
      ),
      'not metadata': utf8Encode('{}'),
      expired: signTargets(2, bundles, [first], at - 366 * 24 * HOUR_MS),
    };
    for (const [name, targets] of Object.entries(wrong)) {
      const body = targets === undefined ? {} : { targets: toBase64(targets) };
      const answer = await submit(story, first, arm, { body });
      assert.equal(answer.status, 422, `${name}: ${answer.text()}`);
    }
    const stray = await submit(story, first, await story.directive('notify'), {
      body: { targets: toBase64(signTargets(2, bundles, [first], at)) },
    });
    assert.equal(stray.status, 422);
    await story.decide('arm');
    assert.equal(await story.status(), 'armed');
  });

  it('let another proposal win when one officer blocks the way', async () => {
    const story = await draft();
    const blocking = await story.directive('abort', { reason: 'I do not like it' });
    expectStatus(await submit(story, world.officer(4), blocking), 200);
    await story.decide('commit');
    assert.equal(await story.status(), 'committed');
    assert.equal(await pending(story), undefined);
    const stale = await submit(story, world.officer(3), blocking);
    assert.deepEqual(problemOf(stale), { status: 409, type: 'conflict' });
  });

  it('drop a proposal that has expired', async () => {
    const story = await draft();
    const commit = await story.directive('commit');
    expectStatus(await submit(story, world.officer(0), commit), 200);
    assert.ok(await pending(story));
    world.clock.advance(HOUR_MS + 1000);
    assert.equal(await pending(story), undefined);
    assert.equal((await submit(story, world.officer(1), commit)).status, 422);
  });

  it('raise an alarm when two with one number have all their signatures', async () => {
    const story = await draft();
    const commit = await story.directive('commit');
    const abort = await story.directive('abort', { reason: 'the other fork' });
    for (const index of [0, 1, 2]) await submit(story, world.officer(index), commit);
    const signers = [world.officer(2), world.officer(3), world.officer(4)];
    const answer = await submit(story, world.officer(2), abort, { signers });
    assert.deepEqual(problemOf(answer), { status: 409, type: 'conflict' });
    assert.ok(world.server.logged.some((line) => line['code'] === 'directive_fork'));
    assert.equal(await story.status(), 'committed');
  });

  it('make one move when the last signatures come all at once', async () => {
    const story = await draft();
    const commit = await story.directive('commit');
    const answers = await Promise.all(
      world.server.officers.map((officer) => submit(story, officer, commit)),
    );
    for (const answer of answers) expectStatus(answer, 200);
    const asOfficer = world.server.client(world.officer(0).signing);
    const { events } = (await asOfficer.get(`${story.path}/events`)).json<{
      events: { type: string }[];
    }>();
    assert.equal(events.filter(({ type }) => type === 'committed').length, 1);
    const { commitments } = (await asOfficer.get('/v1/commitments')).json<{
      commitments: { sha256: string }[];
    }>();
    const mine = commitments.filter(({ sha256 }) => sha256 === story.sealed.plan.commitment);
    assert.equal(mine.length, 1);
  });

  it('move T0, and an abort stops the shares', async () => {
    const story = await draft();
    await story.decide('commit');
    await story.putSignatures();
    await story.decide('arm');
    const later = formatTime(world.clock.now() + 5 * HOUR_MS);
    await story.decide('reschedule', { releaseTime: later, reason: 'a holiday' });
    const asOfficer = world.server.client(world.officer(0).signing);
    const view = (await asOfficer.get(story.path)).json<{ releaseTime: string }>();
    assert.equal(view.releaseTime, later);
    world.clock.advance(4 * HOUR_MS);
    assert.equal((await story.publishShare(world.officer(0), 'release')).status, 425);
    await story.decide('abort');
    world.clock.advance(2 * HOUR_MS);
    const stopped = await story.publishShare(world.officer(0), 'release');
    assert.deepEqual(problemOf(stopped), { status: 409, type: 'conflict' });
  });

  it('take in a plan only with its own shares, a known snapshot and a sound root', async () => {
    const { server, snapshot, clock } = world;
    const now = clock.now();
    const create = async (
      change: (plan: Awaited<ReturnType<typeof sealCampaign>>) => Record<string, unknown>,
      options: Partial<Parameters<typeof sealCampaign>[2]> = {},
    ): Promise<Answer> => {
      const sealed = await sealCampaign(server.root, server.officers, {
        now,
        snapshot,
        ...options,
      });
      const body = {
        plan: toBase64(sealed.planBytes),
        custody: sealed.custody.map((it) => ({ ...it, sealed: toBase64(it.sealed) })),
        ...change(sealed),
      };
      return server.client(world.officer(0).signing).post('/v1/campaigns', body);
    };
    const encoded = (sealed: Awaited<ReturnType<typeof sealCampaign>>) =>
      sealed.custody.map((it) => ({ ...it, sealed: toBase64(it.sealed) }));
    expectStatus(await create(() => ({})), 200);
    const fewer = await create((it) => ({ custody: encoded(it).slice(1) }));
    assert.deepEqual(problemOf(fewer), { status: 422, type: 'refused' });
    const twice = await create((it) => ({ custody: [...encoded(it), encoded(it)[0]] }));
    assert.equal(twice.status, 422);
    const open = await create((it) => ({
      custody: it.custody.map((share) => ({
        ...share,
        sealed: toBase64(it.shares[share.key].get(share.officer) ?? new Uint8Array()),
      })),
    }));
    assert.deepEqual(problemOf(open), { status: 422, type: 'refused' });
    const strange = await create(() => ({}), {
      snapshot: { sha256: 'ef'.repeat(32), point: 'epoch 650' },
    });
    assert.deepEqual(problemOf(strange), { status: 422, type: 'refused' });
    const elsewhere = await create(() => ({}), { snapshot: { ...snapshot, point: 'epoch 651' } });
    assert.equal(elsewhere.status, 422);
    const four = await sealCampaign(server.root, server.officers.slice(0, 4), { now, snapshot });
    const incomplete = await server.client(world.officer(0).signing).post('/v1/campaigns', {
      plan: toBase64(four.planBytes),
      custody: encoded(four),
    });
    assert.equal(problemOf(incomplete).code, 'plan_invalid');
  });
});
