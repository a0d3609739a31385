import assert from 'node:assert/strict';
import { detachedSign, mergeDetached } from '../../../../protocol/contact/detached.ts';
import { sealSignatures } from '../../../../protocol/embargo/signature-bundle.ts';
import { signSums } from '../../../../protocol/embargo/sums-signatures.ts';
import { parseRelease, releaseSums } from '../../../../protocol/embargo/release.ts';
import { encodeSums } from '../../../../protocol/embargo/sums.ts';
import { sha256Hex, utf8Encode } from '../../../../protocol/encoding/bytes.ts';
import { encodeEnvelope, signEnvelope } from '../../../../protocol/signature/dsse.ts';
import { encodeReleaseStatement } from '../../../../protocol/statement/release.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../support/clock.ts';
import { expectStatus, type Story } from '../../../support/story.ts';
import type { World } from '../../../support/world.ts';

/** The checkpoint that an operator sees now, as statements name it. */
export async function seenBy({ server }: World): Promise<{ size: number; root: string }> {
  const text = expectStatus(await server.client().get('/log/checkpoint'), 200).text();
  const [, size, root] = text.split('\n');
  return { size: Number(size), root: root ?? '' };
}

/** Put the officers' real signatures over the plaintext beside the bundles. */
export async function putRealSignatures(
  { server }: Pick<World, 'server'>,
  { sealed, path }: Story,
): Promise<void> {
  const officers = server.officers.slice(0, server.root.directiveThreshold);
  const { plan, documents } = sealed;
  const releaseText = documents.get('release.txt') ?? new Uint8Array();
  const release = parseRelease(releaseText);
  const sums = encodeSums(releaseSums(release, sha256Hex(releaseText)));
  const blocks: string[] = [];
  for (const { openpgp } of officers) {
    blocks.push(await detachedSign(sums, openpgp.privateKey, new Date(server.now())));
  }
  const payload = encodeReleaseStatement({
    artifacts: release.variants.flatMap(({ artifacts }) =>
      artifacts.map(({ name, sha256 }) => ({ name, sha256 })),
    ),
    campaign: plan.campaign,
    network: plan.network,
    revision: plan.revision,
    release: sha256Hex(releaseText),
    sums: sha256Hex(sums),
  });
  const signatures = {
    sums: utf8Encode(await mergeDetached(blocks)),
    release: encodeEnvelope(signEnvelope(payload, ...officers.map(({ signing }) => signing))),
    byOfficer: new Map(officers.map(({ id, signing }) => [id, signSums(sums, plan, signing)])),
  };
  const ciphertext = await sealSignatures(signatures, plan.releaseRecipient);
  const lead = server.client(officers[0]?.signing);
  expectStatus(await lead.put(`${path}/signatures`, ciphertext), 204);
}

/** Lead a campaign of a running server to where its release time has come. */
export async function armForReal(world: World, story: Story): Promise<void> {
  await story.uploadCiphertext();
  await story.decide('commit');
  await putRealSignatures(world, story);
  world.clock.advance(MINUTE_MS);
  await world.server.sequence();
  await story.decide('notify');
  for (const operator of world.operators) {
    world.clock.advance(1000);
    await world.server.sequence();
    expectStatus(await story.notice(operator), 200);
    const checkpoint = await seenBy(world);
    expectStatus(await story.say(operator, 'ack', { checkpoint }), 200);
  }
  await story.decide('arm');
  await world.server.sequence();
}

/** Release, adopt and disclose: everything until the closing shares. */
export async function discloseForReal(world: World, story: Story): Promise<void> {
  const { server, clock, operators } = world;
  clock.advance(2 * HOUR_MS);
  await story.release();
  await server.sequence();
  for (const operator of operators) {
    clock.advance(1000);
    const checkpoint = await seenBy(world);
    expectStatus(await story.say(operator, 'attest', { checkpoint }), 200);
  }
  assert.equal(await story.status(), 'adopted');
  clock.advance(DAY_MS);
  await story.decide('disclose');
  for (const officer of server.officers.slice(0, server.root.shareThreshold)) {
    clock.advance(1000);
    expectStatus(await story.publishShare(officer, 'closing'), 200);
  }
}
