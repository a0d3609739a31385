import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { generateKey, open, seal, type AgeKey } from '../../../protocol/embargo/age.ts';
import { readBeacon } from '../../../protocol/embargo/beacon.ts';
import { openCustody, opensAt, signShare } from '../../../protocol/embargo/custody.ts';
import { lock } from '../../../protocol/embargo/lock.ts';
import { combineShares } from '../../../protocol/embargo/planned-shares.ts';
import { splitKey } from '../../../protocol/embargo/share.ts';
import { QUICKNET, timeOfRound } from '../../../protocol/plan/timelock.ts';
import { sha256Hex, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { verifyPublication } from '../../../protocol/statement/share.ts';
import type { TrustRoot } from '../../../protocol/trust/root.ts';
import { rootOf, signerNamed } from '../trust/network.ts';
import { beaconJson, QUICKNET_ROUNDS } from './drand.ts';
import { sealCampaign, type SealedCampaign } from './sealed-campaign.ts';

const [, , [ROUND, signature]] = QUICKNET_ROUNDS as [unknown, unknown, [number, string]];
const HOLDERS = ['alice', 'bob', 'carol', 'server'];
const noBeacon = (): Promise<never> => Promise.reject(new Error('no beacon yet'));

describe('a share in custody', () => {
  let sealed: SealedCampaign;
  let custody: AgeKey;
  let root: TrustRoot;
  let plan: Plan;
  let document: Uint8Array;
  let bobs: Uint8Array;
  before(async () => {
    sealed = await sealCampaign({ releaseTime: '2023-08-23T15:59:22Z' });
    custody = await generateKey();
    const custodian = { key: signerNamed('custody').publicKey, age: custody.recipient };
    root = rootOf(['alice', 'bob', 'carol'], { custodian });
    const { campaign } = sealed.plan;
    const split = { key: 'release' as const, campaign, officers: HOLDERS, threshold: 2 };
    const parts = await splitKey(sealed.keys.release.identity, split);
    const of = (holder: string): Uint8Array =>
      parts.find(({ officer }) => officer === holder)?.document ?? new Uint8Array();
    [document, bobs] = [of('server'), of('bob')];
    const closing = sealed.plan.shares.filter(({ key }) => key === 'closing');
    const release = parts.map(({ officer, document: bytes }) => {
      return { key: 'release' as const, officer, sha256: sha256Hex(bytes) };
    });
    plan = { ...sealed.plan, exercise: true, shares: [...closing, ...release] };
  });

  it('of the server is published as an officer’s is, by its own key, to those with the notice', async () => {
    const kept = await seal(document, [custody.recipient]);
    const file = await openCustody(kept, custody.identity, plan, 'release', 'server');
    const signer = signerNamed('custody');
    const envelope = await signShare(signer, plan, 'release', 'server', file, noBeacon);
    const { sealed: wrapped } = verifyPublication(envelope, verifyEd25519, root, plan);
    assert.deepEqual(await open(wrapped, sealed.keys.access.identity), document);

    for (const by of ['alice signing', 'log', 'token']) {
      const forged = await signShare(signerNamed(by), plan, 'release', 'server', file, noBeacon);
      assert.throws(() => verifyPublication(forged, verifyEd25519, root, plan), /signed by|sign/);
    }
    const without = rootOf(['alice', 'bob', 'carol']);
    assert.throws(() => verifyPublication(envelope, verifyEd25519, without, plan), {
      code: 'statement_invalid',
    });
  });

  it('is refused when it is somebody else’s, or for another key', async () => {
    const kept = await seal(bobs, [custody.recipient]);
    const mismatch = { code: 'commitment_mismatch' };
    await assert.rejects(openCustody(kept, custody.identity, plan, 'release', 'server'), mismatch);
    await openCustody(kept, custody.identity, plan, 'release', 'bob');
    const { identity } = await generateKey();
    await assert.rejects(openCustody(kept, identity, plan, 'release', 'bob'), {
      code: 'bundle_invalid',
    });
  });

  it('with a time-lock stays shut until the round, also to the server', async () => {
    const locking = await lock(document, QUICKNET, ROUND);
    const locked: Plan = {
      ...plan,
      timelock: { chain: QUICKNET.hash, round: ROUND },
      shares: plan.shares.map((it) =>
        it.key === 'closing'
          ? it
          : {
              ...it,
              locked: sha256Hex(it.officer === 'server' ? locking : utf8Encode(it.officer)),
            },
      ),
    };
    assert.equal(opensAt(locked, 'release'), timeOfRound(QUICKNET, ROUND));
    assert.equal(opensAt(locked, 'closing'), -Infinity);
    const kept = await seal(locking, [custody.recipient]);
    const file = await openCustody(kept, custody.identity, locked, 'release', 'server');
    assert.notDeepEqual(file, document);
    const signer = signerNamed('custody');
    await assert.rejects(
      signShare(signer, locked, 'release', 'server', file, noBeacon),
      /no beacon yet/,
    );
    const beacon = readBeacon(beaconJson(ROUND, signature), QUICKNET, ROUND);
    const envelope = await signShare(signer, locked, 'release', 'server', file, () =>
      Promise.resolve(beacon),
    );
    const published = verifyPublication(envelope, verifyEd25519, root, locked);
    const opened = await open(published.sealed, sealed.keys.access.identity);
    const shares = [
      { officer: 'server', document: opened },
      { officer: 'bob', document: bobs },
    ];
    const { key } = await combineShares(shares, locked, 'release');
    assert.equal(key, sealed.keys.release.identity);
  });
});
