import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { fromBase64 } from '../../protocol/encoding/bytes.ts';
import { formatTime } from '../../protocol/encoding/time.ts';
import { NO_CAMPAIGN, parseOpening } from '../../protocol/log/opening.ts';
import type { Envelope } from '../../protocol/signature/dsse.ts';
import { signEnvelope } from '../../protocol/signature/dsse.ts';
import type { Endorsement } from '../../protocol/statement/endorsement.ts';
import { encodeEndorsement, parseEndorsement } from '../../protocol/statement/endorsement.ts';
import { digestNamed } from '../protocol/plan/plans.ts';
import { signerNamed, vouchersOf } from '../protocol/trust/network.ts';
import type { Answer } from '../support/session.ts';
import { envelopeJson, envelopeOf, expectStatus } from '../support/story.ts';
import type { World } from '../support/world.ts';
import { openWorld } from '../support/world.ts';

describe('endorsements at the server', () => {
  let world: World;
  before(async () => {
    world = await openWorld({ vouchers: vouchersOf(['acme'], ['max', 'nina'], 2) });
  });
  after(() => world.close());

  const endorse = (
    endorser: string,
    changes: Partial<Endorsement> = {},
    signer = signerNamed(`${endorser} endorsement`),
  ): Envelope => {
    const { network, origin } = world.server.root;
    const payload = encodeEndorsement({
      commitment: world.story.sealed.plan.commitment,
      network,
      origin,
      endorser,
      posted: ['https://social.example/@max/1'],
      issuedAt: formatTime(world.clock.now()),
      ...changes,
    });
    return signEnvelope(payload, signer);
  };
  const pathOf = (commitment = world.story.sealed.plan.commitment): string =>
    `/v1/commitments/${commitment}/endorsements`;
  const post = (envelope: Envelope, commitment?: string): Promise<Answer> =>
    world.server.client().post(pathOf(commitment), { envelope: envelopeJson(envelope) });
  const listed = async (): Promise<Endorsement[]> => {
    const answer = expectStatus(await world.server.client().get(pathOf()), 200);
    const { endorsements } = answer.json<{ endorsements: unknown[] }>();
    return endorsements.map((json) => parseEndorsement(envelopeOf(json).payload));
  };

  it('are of commitments that are public, and tell of no others', async () => {
    const hidden = await post(endorse('max'));
    const nobody = digestNamed('nobody committed to this');
    const unknown = await post(endorse('max', { commitment: nobody }), nobody);
    assert.equal(hidden.status, 404);
    assert.equal(hidden.text(), unknown.text());
    assert.equal((await world.server.client().get(pathOf())).status, 404);
    await world.story.uploadCiphertext();
    await world.story.decide('commit');
    assert.deepEqual(await listed(), []);
  });

  it('speak for themselves: only what an endorser of the root signed is taken', async () => {
    for (const envelope of [
      endorse('eve'),
      endorse('max', {}, signerNamed('nina endorsement')),
      endorse('acme', {}, signerNamed('acme review')),
      endorse('max', { commitment: digestNamed('another') }),
      endorse('max', { origin: 'other.example/log' }),
      endorse('max', { issuedAt: formatTime(world.clock.now() + 600_000) }),
    ]) {
      assert.equal((await post(envelope)).status, 422);
    }
    assert.deepEqual(await listed(), []);
  });

  it('are public at once, with a receipt, the same for the same endorsement', async () => {
    const envelope = endorse('max');
    const first = expectStatus(await post(envelope), 200);
    const { opening } = first.json<{ opening: string }>();
    const { kind, campaign } = parseOpening(fromBase64(opening));
    // Anybody can send it again: the answer must not tell whose commitment it is.
    assert.deepEqual({ kind, campaign }, { kind: 'endorsement', campaign: NO_CAMPAIGN });
    assert.equal(first.text().includes(world.story.sealed.id), false);
    assert.equal(expectStatus(await post(envelope), 200).text(), first.text());
    assert.deepEqual(
      (await listed()).map(({ endorser }) => endorser),
      ['max'],
    );
  });

  it('are mended by a later one, never by one from before, and not without end', async () => {
    const at = (seconds: number): string => formatTime(world.clock.now() + seconds * 1000);
    const posted = ['https://social.example/@max/2'];
    expectStatus(await post(endorse('max', { posted, issuedAt: at(1) })), 200);
    assert.equal((await post(endorse('max', { posted, issuedAt: at(-1) }))).status, 422);
    await world.server.restart();
    assert.deepEqual((await listed())[0]?.posted, posted);
    for (let i = 2; i < 8; i += 1) {
      expectStatus(await post(endorse('max', { issuedAt: at(i) })), 200);
    }
    assert.equal((await post(endorse('max', { issuedAt: at(8) }))).status, 429);
    expectStatus(await post(endorse('nina')), 200);
    assert.equal((await listed()).length, 2);
  });
});
