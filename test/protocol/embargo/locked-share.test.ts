import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { readBeacon } from '../../../protocol/embargo/beacon.ts';
import { checkDraft } from '../../../protocol/embargo/check-draft.ts';
import type { Draft } from '../../../protocol/embargo/draft.ts';
import { lock } from '../../../protocol/embargo/lock.ts';
import { openLockedShare, verifyLockedShare } from '../../../protocol/embargo/locked-share.ts';
import { combineShares } from '../../../protocol/embargo/planned-shares.ts';
import { parseShare, splitKey } from '../../../protocol/embargo/share.ts';
import { QUICKNET } from '../../../protocol/plan/timelock.ts';
import { sha256Hex } from '../../../protocol/encoding/bytes.ts';
import { encodePlan } from '../../../protocol/plan/plan.ts';
import { beaconJson, QUICKNET_ROUNDS } from './drand.ts';
import { sealCampaign } from './sealed-campaign.ts';
import type { SealedCampaign } from './sealed-campaign.ts';

const [, [EARLIER, earlier], [ROUND, signature]] = QUICKNET_ROUNDS as [
  unknown,
  [number, string],
  [number, string],
];
const beacon = readBeacon(beaconJson(ROUND, signature), QUICKNET, ROUND);
const OFFICERS = ['alice', 'bob', 'carol'];

let sealed: SealedCampaign;
let locked: Map<string, Uint8Array>;

/** The plan with its release shares in these files. */
function planWith(files: ReadonlyMap<string, Uint8Array>): Plan {
  const { plan } = sealed;
  const digestOf = (officer: string): string => sha256Hex(files.get(officer) ?? new Uint8Array());
  return {
    ...plan,
    timelock: { chain: QUICKNET.hash, round: ROUND },
    shares: plan.shares.map((share) =>
      share.key === 'release' ? { ...share, locked: digestOf(share.officer) } : share,
    ),
  };
}

before(async () => {
  sealed = await sealCampaign({ releaseTime: '2023-08-23T15:59:22Z' });
  locked = new Map();
  for (const { officer, document } of sealed.draft.shares.release) {
    locked.set(officer, await lock(document, QUICKNET, ROUND));
  }
});

const fileOf = (officer: string): Uint8Array => locked.get(officer) ?? new Uint8Array();

describe('locked shares', () => {
  it('of all officers together make nothing before the round, and of t the key after it', async () => {
    const plan = planWith(locked);
    const early = readBeacon(beaconJson(EARLIER, earlier), QUICKNET, EARLIER);
    for (const officer of OFFICERS) {
      await verifyLockedShare(fileOf(officer), plan, officer);
      assert.throws(() => parseShare(fileOf(officer)));
      for (const wrong of [early, { ...early, round: ROUND }]) {
        await assert.rejects(openLockedShare(fileOf(officer), plan, officer, wrong), {
          code: 'timelock_invalid',
        });
      }
    }
    const asTheyAre = OFFICERS.map((officer) => ({ officer, document: fileOf(officer) }));
    await assert.rejects(combineShares(asTheyAre, plan, 'release'), { code: 'threshold_unmet' });
    const opened = await Promise.all(
      ['alice', 'carol'].map(async (officer) => ({
        officer,
        document: await openLockedShare(fileOf(officer), plan, officer, beacon),
      })),
    );
    const { key } = await combineShares(opened, plan, 'release');
    assert.equal(key, sealed.keys.release.identity);
  });

  it('are those that the plan commits to, each for its officer', async () => {
    const plan = planWith(locked);
    const mismatch = { code: 'commitment_mismatch' };
    await assert.rejects(verifyLockedShare(fileOf('bob'), plan, 'alice'), mismatch);
    await assert.rejects(verifyLockedShare(new Uint8Array(), plan, 'alice'), mismatch);
    const invalid = { code: 'share_invalid' };
    await assert.rejects(verifyLockedShare(fileOf('bob'), plan, 'mallory'), invalid);
    await assert.rejects(verifyLockedShare(fileOf('bob'), sealed.plan, 'bob'), invalid);
  });

  it('whose sealer locked something else are named after the round, and not before it', async () => {
    const theirs = sealed.draft.shares.release.find(({ officer }) => officer === 'bob');
    const swapped = await lock(theirs?.document ?? new Uint8Array(), QUICKNET, ROUND);
    const plan = planWith(new Map(locked).set('alice', swapped));
    await verifyLockedShare(swapped, plan, 'alice');
    await assert.rejects(openLockedShare(swapped, plan, 'alice', beacon), {
      code: 'commitment_mismatch',
    });
  });
});

describe('checkDraft with a time-lock', () => {
  const check = (changes: Partial<Draft>, files = locked): Promise<void> => {
    const plan = planWith(files);
    const draft = { ...sealed.draft, plan: encodePlan(plan), locked: files, ...changes };
    return checkDraft(draft, plan, sealed.ciphertexts);
  };

  it('accepts an honest draft', () => check({}));

  it('refuses a lock to an earlier round, though the plan commits to the file', async () => {
    const { document = new Uint8Array() } = sealed.draft.shares.release[0] ?? {};
    const sooner = await lock(document, QUICKNET, ROUND - 1);
    await assert.rejects(check({}, new Map(locked).set('alice', sooner)), {
      code: 'timelock_invalid',
      message: 'the share is locked to round 999',
    });
  });

  it('refuses locked files that are missing, too many, another’s, or not locked', async () => {
    const without = new Map(locked);
    without.delete('bob');
    const swapped = new Map(locked).set('bob', fileOf('alice'));
    for (const files of [without, swapped, new Map(locked).set('mallory', fileOf('bob'))]) {
      await assert.rejects(check({ locked: files }), { name: 'ProtocolError' });
    }
    const { document = new Uint8Array() } = sealed.draft.shares.release[1] ?? {};
    await assert.rejects(check({}, new Map(locked).set('bob', document)), {
      code: 'timelock_invalid',
    });
  });

  it('refuses break-glass shares that the plan does not know', async () => {
    const split = { key: 'break-glass', campaign: sealed.plan.campaign, threshold: 3 } as const;
    const extra = await splitKey(sealed.keys.release.identity, { ...split, officers: OFFICERS });
    const shares = { ...sealed.draft.shares, 'break-glass': extra };
    await assert.rejects(check({ shares }), { code: 'share_invalid' });
  });
});
