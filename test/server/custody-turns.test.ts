import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import Database from 'better-sqlite3';

import { verifyEd25519 } from '../../platform/ed25519.ts';
import { ciphertextsOf } from '../../protocol/plan/ciphertexts.ts';
import type { Plan } from '../../protocol/plan/plan.ts';
import { encodePlan } from '../../protocol/plan/plan.ts';
import { generateKey, open, seal } from '../../protocol/embargo/age.ts';
import type { OfficerShare } from '../../protocol/embargo/share.ts';
import { combineShares } from '../../protocol/embargo/planned-shares.ts';
import { splitKey } from '../../protocol/embargo/share.ts';
import { sha256Hex, toBase64, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { formatTime } from '../../protocol/encoding/time.ts';
import { signEnvelope } from '../../protocol/signature/dsse.ts';
import { encodeDirective } from '../../protocol/campaign/directive.ts';
import { encodePublication, verifyPublication } from '../../protocol/statement/share.ts';
import { holderRecipient } from '../../protocol/trust/root.ts';
import { makeCard } from '../../server/card.ts';
import { digestNamed, digestOf, revisionOf } from '../protocol/plan/plans.ts';
import { HOUR_MS } from '../support/clock.ts';
import { makeOfficers, signTargets } from '../support/officers.ts';
import type { Answer } from '../support/session.ts';
import type { Story } from '../support/story.ts';
import { envelopeJson, envelopeOf, expectStatus } from '../support/story.ts';
import type { World } from '../support/world.ts';
import { openWorld } from '../support/world.ts';

// One campaign, in order of the tests: released without the server, withdrawn, superseded.
describe('a share of the server, when a patch is withdrawn and superseded', () => {
  let world: World;
  let story: Story;
  let next: { readonly plan: Plan; readonly key: string; readonly shares: readonly OfficerShare[] };
  before(async () => {
    world = await openWorld({ officers: await makeOfficers(3), custody: true, stakes: [1n] });
    story = await world.another({ serverShares: 1 });
    await story.arm();
  });
  after(() => world.close());

  const out = async (): Promise<string[]> => {
    await world.server.tendShares();
    const answer = await world.server.client(world.officer(0).signing).get(story.path);
    return expectStatus(answer, 200).json<{ shares: { published: string[] } }>().shares.published;
  };
  /** Plans of which the server keeps a share of its own. */
  const kept = (): unknown[] => {
    const database = new Database(join(world.server.dataDirectory, 'sealdrop.sqlite'));
    const rows = database.prepare("SELECT plan FROM custody WHERE officer = 'server'").all();
    database.close();
    return rows.map((row) => (row as { plan: string }).plan);
  };
  const errors = (): number => world.server.logged.filter(({ level }) => level === 'error').length;

  /** The next revision: another patch under another key, an hour from now. */
  const makeNext = async (): Promise<typeof next> => {
    const { plan, id } = story.sealed;
    const { identity, recipient } = await generateKey();
    const holders = plan.shares.filter(({ key }) => key === 'release');
    const shares = await splitKey(identity, {
      key: 'release',
      campaign: id,
      officers: holders.map(({ officer }) => officer),
      threshold: plan.shareThreshold,
    });
    const planned = shares.map(({ officer, document }) => {
      return { key: 'release' as const, officer, sha256: sha256Hex(document) };
    });
    const revised = revisionOf(
      plan,
      { 'release.txt': digestNamed('other patch') },
      {
        releaseRecipient: recipient,
        releaseTime: formatTime(world.clock.now() + HOUR_MS),
        shares: [...planned, ...plan.shares.filter(({ key }) => key === 'closing')],
      },
    );
    return { plan: revised, key: identity, shares };
  };
  const upload = async (): Promise<Answer> => {
    const { root } = world.server;
    const custody = await Promise.all(
      next.shares.map(async ({ officer, document }) => {
        const sealed = await seal(document, [holderRecipient(root, officer) ?? '']);
        return { key: 'release' as const, officer, sealed };
      }),
    );
    const closing = story.sealed.custody.filter(({ key }) => key === 'closing');
    return world.server.client(world.officer(0).signing).post('/v1/campaigns', {
      plan: toBase64(encodePlan(next.plan)),
      custody: [...custody, ...closing].map((it) => ({ ...it, sealed: toBase64(it.sealed) })),
    });
  };
  const supersede = async (): Promise<Answer> => {
    const { plan } = next;
    const { officers } = world.server;
    const changes = { plan: digestOf(plan), revision: plan.revision };
    const payload = encodeDirective(await story.directive('supersede', changes));
    const bundles = ciphertextsOf(plan);
    return world.server.client(world.officer(0).signing).post(`${story.path}/directives`, {
      envelope: envelopeJson(signEnvelope(payload, ...officers.map(({ signing }) => signing))),
      // The first came with the root, the second with `arm`.
      targets: toBase64(signTargets(3, bundles, officers, world.clock.now())),
      attachment: toBase64(await seal(utf8Encode('signatures'), [plan.releaseRecipient])),
    });
  };
  const publishNext = async (index: number): Promise<Answer> => {
    const { id, signing } = world.officer(index);
    const { plan, shares } = next;
    const document = shares.find(({ officer }) => officer === id)?.document ?? new Uint8Array();
    const payload = encodePublication({
      kind: 'share',
      key: 'release',
      campaign: plan.campaign,
      network: plan.network,
      revision: plan.revision,
      officer: id,
      commitment: sha256Hex(document),
      sealed: await seal(document, [plan.accessRecipient]),
    });
    const envelope = envelopeJson(signEnvelope(payload, signing));
    return world.server.client(signing).post(`${story.path}/shares`, { envelope });
  };

  it('stays where it is when three officers release while the custody key is away', async () => {
    const { server, clock } = world;
    const custodyFile = join(server.dataDirectory, '..', 'other.key');
    await makeCard({ ...server.config, custodyFile }, { custody: true });
    await server.restartWith({ CUSTODY: custodyFile });
    clock.set(Date.parse(story.sealed.plan.releaseTime));
    await story.release();
    assert.deepEqual(await out(), ['alice', 'bob', 'carol']);
    assert.equal(await story.status(), 'released');
    assert.deepEqual(kept(), [story.sealed.planDigest]);
  });

  it('is forgotten unpublished once the patch was withdrawn', async () => {
    await story.decide('withdraw');
    await world.server.restart();
    const before = errors();
    assert.deepEqual(await out(), ['alice', 'bob', 'carol']);
    assert.equal(errors(), before);
    assert.deepEqual(kept(), []);
  });

  it('of the patch that supersedes waits for its own T0 and its own officers', async () => {
    const { server, clock } = world;
    next = await makeNext();
    expectStatus(await upload(), 200);
    // Kept though the campaign is withdrawn: this revision is not over, it has not begun.
    assert.equal((await out()).length, 3);
    assert.deepEqual(kept(), [digestOf(next.plan)]);
    expectStatus(await supersede(), 200);
    assert.equal(await story.status(), 'armed');
    assert.deepEqual(await out(), []);

    clock.set(Date.parse(next.plan.releaseTime));
    assert.deepEqual(await out(), [], 'what was published of the first patch counts no more');
    assert.equal((await story.publishShare(world.officer(0), 'release')).status, 422);
    expectStatus(await publishNext(0), 200);
    assert.deepEqual(await out(), ['alice']);
    expectStatus(await publishNext(2), 200);
    assert.deepEqual(await out(), ['alice', 'carol', 'server']);
    assert.deepEqual(kept(), []);

    const answer = await server.client(world.officer(1).signing).get(`${story.path}/shares`);
    const { shares } = expectStatus(answer, 200).json<{ shares: unknown[] }>();
    const documents = await Promise.all(
      shares.map(async (json) => {
        const it = verifyPublication(envelopeOf(json), verifyEd25519, server.root, next.plan);
        const document = await open(it.sealed, story.sealed.keys.access.identity);
        return { officer: it.officer, document };
      }),
    );
    assert.equal((await combineShares(documents, next.plan, 'release')).key, next.key);
  });
});
