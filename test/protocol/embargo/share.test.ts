import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { combine } from 'shamir-secret-sharing';
import { encodeDocument } from '../../../protocol/commitment/document.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { fromBase64, sha256Hex, toBase64, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { encodeJson } from '../../../protocol/encoding/json.ts';
import { generateKey } from '../../../protocol/embargo/age.ts';
import {
  checkSplit,
  combineShares,
  parseShare,
  splitKey,
  verifyPlannedShare,
  verifyShare,
} from '../../../protocol/embargo/share.ts';
import type { KeyName } from '../../../protocol/plan/key-name.ts';
import type { OfficerShare } from '../../../protocol/embargo/share.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { randomHex } from './sealed-campaign.ts';

const CAMPAIGN = 'SDX-2026-7KQ4';
const OFFICERS = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace'];

/** The part of a plan that shares are checked against. */
function planOf(shares: readonly OfficerShare[], threshold: number, recipient: string): Plan {
  const part: Pick<Plan, 'campaign' | 'shares' | 'shareThreshold' | 'releaseRecipient'> = {
    campaign: CAMPAIGN,
    shareThreshold: threshold,
    releaseRecipient: recipient,
    shares: shares.map(({ officer, document }) => ({
      key: 'release',
      officer,
      sha256: sha256Hex(document),
    })),
  };
  return part as Plan;
}

async function split(
  threshold: number,
  total: number,
  options: { readonly campaign?: string; readonly key?: KeyName } = {},
): Promise<{ identity: string; shares: OfficerShare[]; plan: Plan }> {
  const { campaign = CAMPAIGN, key = 'release' } = options;
  const { identity, recipient } = await generateKey();
  const officers = OFFICERS.slice(0, total);
  const shares = await splitKey(identity, { key, campaign, officers, threshold });
  return { identity, shares, plan: planOf(shares, threshold, recipient) };
}

function subsets<T>(items: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, index) =>
    subsets(items.slice(index + 1), size - 1).map((rest) => [item, ...rest]),
  );
}

/** A share document that says something else than an honest one. */
function forgeShare(document: Uint8Array, changes: object): Uint8Array {
  const { campaign, ...fields } = parseShare(document);
  const body = encodeJson({ ...fields, share: toBase64(fields.share), ...changes });
  return encodeDocument({ type: 'share', campaign, nonce: randomHex(), body });
}

describe('combineShares', () => {
  for (const [threshold, total] of [
    [2, 3],
    [3, 5],
    [4, 7],
  ] as const) {
    it(`opens with every ${threshold} of ${total} shares and with no ${threshold - 1}`, async () => {
      const { identity, shares, plan } = await split(threshold, total);
      for (const enough of subsets(shares, threshold)) {
        const expected = { key: identity, bad: [] };
        assert.deepEqual(await combineShares(enough, plan, 'release'), expected);
      }
      for (const tooFew of subsets(shares, threshold - 1)) {
        await assert.rejects(combineShares(tooFew, plan, 'release'), { code: 'threshold_unmet' });
        if (tooFew.length < 2) continue;
        // Nor does the arithmetic alone give anything of the key away.
        const parts = tooFew.map(({ document }) => parseShare(document).share);
        assert.notDeepEqual(await combine(parts), utf8Encode(identity));
      }
      assert.equal((await combineShares(shares, plan, 'release')).key, identity);
    });
  }

  it('names the officer of a corrupted share and opens with the others', async () => {
    const { identity, shares, plan } = await split(2, 3);
    const [alice, bob, carol] = shares as [OfficerShare, OfficerShare, OfficerShare];
    const corrupted = bob.document.slice();
    corrupted[corrupted.length - 10] = 1 ^ (corrupted.at(-10) ?? 0);
    const published = [{ officer: 'bob', document: corrupted }, alice, carol];
    const { key, bad } = await combineShares(published, plan, 'release');
    assert.equal(key, identity);
    assert.deepEqual(bad, [{ officer: 'bob', reason: 'share is not the one committed to' }]);
    await assert.rejects(combineShares(published.slice(0, 2), plan, 'release'), {
      code: 'threshold_unmet',
      message: '1 of 2 shares of the release key; bad: bob',
    });
  });

  it('counts two copies of one officer’s share once', async () => {
    const { shares, plan } = await split(2, 3);
    const [alice] = shares as [OfficerShare];
    await assert.rejects(combineShares([alice, alice, alice], plan, 'release'), {
      code: 'threshold_unmet',
      message: '1 of 2 shares of the release key',
    });
  });

  it('does not count one officer’s share in another’s name', async () => {
    const { shares, plan } = await split(2, 3);
    const [alice] = shares as [OfficerShare];
    const borrowed = { officer: 'bob', document: alice.document };
    await assert.rejects(combineShares([alice, borrowed], plan, 'release'), {
      code: 'threshold_unmet',
      message: /bad: bob/,
    });
  });

  it('counts an officer who published a bad share first and the right one later', async () => {
    const { identity, shares, plan } = await split(2, 3);
    const [alice, bob] = shares as [OfficerShare, OfficerShare];
    const bad = { officer: 'bob', document: alice.document };
    assert.equal((await combineShares([alice, bad, bob], plan, 'release')).key, identity);
    assert.equal((await combineShares([alice, bob, bad], plan, 'release')).key, identity);
  });

  it('refuses shares of another campaign, of the other key, and of strangers', async () => {
    const { plan } = await split(2, 3);
    const other = await split(2, 3, { campaign: 'SDX-2026-0000' });
    await assert.rejects(combineShares(other.shares, plan, 'release'), { code: 'threshold_unmet' });
    const { shares } = await split(2, 3);
    await assert.rejects(combineShares(shares, plan, 'closing'), { code: 'threshold_unmet' });
    const strangers = shares.map((share) => ({ ...share, officer: `x${share.officer}` }));
    await assert.rejects(combineShares(strangers, plan, 'release'), { code: 'threshold_unmet' });
  });

  it('refuses a share of another campaign even when the plan commits to it', async () => {
    const other = await split(2, 3, { campaign: 'SDX-2026-0000' });
    const [alice] = other.shares as [OfficerShare];
    assert.throws(() => verifyPlannedShare(alice.document, other.plan, 'release', 'alice'), {
      code: 'share_invalid',
    });
  });

  it('refuses a share that claims another threshold, total, officer or key', async () => {
    const { shares } = await split(2, 3);
    const [alice, bob, carol] = shares as [OfficerShare, OfficerShare, OfficerShare];
    for (const change of [{ threshold: 3 }, { total: 4 }, { officer: 'bob' }, { key: 'closing' }]) {
      const forged = { officer: 'alice', document: forgeShare(alice.document, change) };
      const plan = planOf([forged, bob, carol], 2, 'age1');
      assert.throws(() => verifyPlannedShare(forged.document, plan, 'release', 'alice'), {
        code: 'share_invalid',
      });
    }
  });

  it('tells a wrong key from a bad share when the sealer lied in the plan', async () => {
    const { shares } = await split(2, 3);
    const { recipient } = await generateKey();
    const plan = planOf(shares, 2, recipient);
    await assert.rejects(combineShares(shares, plan, 'release'), { code: 'key_mismatch' });
  });

  it('keeps shares and key out of its errors', async () => {
    const { identity, shares, plan } = await split(2, 3);
    const [alice, bob] = shares as [OfficerShare, OfficerShare];
    const swapped = [
      { officer: 'bob', document: alice.document },
      { officer: 'alice', document: bob.document },
    ];
    await assert.rejects(combineShares(swapped, plan, 'release'), (error) => {
      assert.ok(error instanceof ProtocolError);
      const text = `${error.message}${String(error.cause)}`;
      for (const { document } of shares) {
        assert.ok(!text.includes(toBase64(parseShare(document).share).slice(0, 20)));
      }
      assert.ok(!text.includes(identity));
      return true;
    });
  });
});

describe('checkSplit', () => {
  const read = (shares: readonly OfficerShare[]): ReturnType<typeof parseShare>[] =>
    shares.map(({ document }) => parseShare(document));

  it('accepts an honest split', async () => {
    for (const [threshold, total] of [
      [2, 2],
      [2, 3],
      [3, 5],
      [4, 7],
    ] as const) {
      const { shares, plan } = await split(threshold, total);
      await checkSplit(read(shares), plan, 'release');
    }
  });

  it('refuses when any one share is off, whichever it is', async () => {
    const { shares, plan } = await split(3, 5);
    for (const [index, { officer, document }] of shares.entries()) {
      const part = parseShare(document).share;
      part[0] = 1 ^ (part[0] ?? 0);
      const forged = { officer, document: forgeShare(document, { share: toBase64(part) }) };
      const all = shares.with(index, forged);
      await assert.rejects(checkSplit(read(all), plan, 'release'), { code: 'key_mismatch' });
    }
  });

  it('refuses a key that fewer shares than the plan says would open', async () => {
    const two = await split(2, 5);
    const asThree = { ...two.plan, shareThreshold: 3 };
    await assert.rejects(checkSplit(read(two.shares), asThree, 'release'), {
      code: 'share_invalid',
    });
    // Every share is the key itself: a polynomial of degree zero.
    const bare = two.shares.slice(0, 3).map(({ officer, document }, index) => {
      const share = toBase64(Uint8Array.from([...utf8Encode(two.identity), index + 1]));
      return { officer, document: forgeShare(document, { share }) };
    });
    await assert.rejects(checkSplit(read(bare), two.plan, 'release'), { code: 'share_invalid' });
  });

  it('refuses two shares at one coordinate', async () => {
    const { shares, plan } = await split(2, 3);
    const [alice, bob] = shares as [OfficerShare, OfficerShare];
    const copy = forgeShare(bob.document, { share: toBase64(parseShare(alice.document).share) });
    const both = [alice, { officer: 'bob', document: copy }];
    await assert.rejects(checkSplit(read(both), plan, 'release'), { code: 'key_mismatch' });
    // Also where neither is among the first t, and each makes the key with those.
    const carols = forgeShare(shares[2]?.document ?? new Uint8Array(), {
      share: toBase64(parseShare(bob.document).share),
    });
    const last = [alice, bob, { officer: 'carol', document: carols }];
    await assert.rejects(checkSplit(read(last), plan, 'release'), { code: 'key_mismatch' });
  });
});

describe('splitKey', () => {
  it('refuses a bad key, an officer twice, and thresholds without meaning', async () => {
    const { identity } = await generateKey();
    const options = { key: 'release', campaign: CAMPAIGN } as const;
    const attempt = (key: string, officers: string[], threshold: number): Promise<unknown> =>
      splitKey(key, { ...options, officers, threshold });
    await assert.rejects(attempt('AGE-SECRET-KEY-1', ['a', 'b'], 2), { code: 'key_invalid' });
    await assert.rejects(attempt(identity, ['a', 'a'], 2), { code: 'share_invalid' });
    for (const threshold of [-1, 0, 1, 3, 1.5, NaN]) {
      await assert.rejects(attempt(identity, ['a', 'b'], threshold), { code: 'share_invalid' });
    }
    await assert.rejects(attempt(identity, [], 2), { code: 'share_invalid' });
  });

  it('makes a share differ from any other, so that its digest tells nothing', async () => {
    const { identity } = await generateKey();
    const options = { key: 'release', campaign: CAMPAIGN, threshold: 2 } as const;
    const officers = ['alice', 'bob'];
    const all = [
      ...(await splitKey(identity, { ...options, officers })),
      ...(await splitKey(identity, { ...options, officers })),
    ];
    assert.equal(new Set(all.map(({ document }) => sha256Hex(document))).size, 4);
  });
});

describe('parseShare and verifyShare', () => {
  it('refuse a share at coordinate zero, which would be the key itself', async () => {
    const { identity, shares } = await split(2, 3);
    const share = toBase64(Uint8Array.from([...utf8Encode(identity), 0]));
    const document = forgeShare(shares[0]?.document ?? new Uint8Array(), { share });
    assert.throws(() => parseShare(document), { code: 'share_invalid' });
  });

  it('refuse other lengths, other documents and unknown fields', async () => {
    const { shares } = await split(2, 3);
    const document = shares[0]?.document ?? new Uint8Array();
    const { share } = parseShare(document);
    const flaws: readonly (readonly [object, string])[] = [
      [{ share: toBase64(share.subarray(1)) }, 'share_invalid'],
      [{ share: '' }, 'share_invalid'],
      [{ share: 'a' }, 'encoding_invalid'],
      [{ threshold: 1 }, 'share_invalid'],
      [{ threshold: 4 }, 'share_invalid'],
      [{ total: 256 }, 'share_invalid'],
      [{ key: 'other' }, 'share_invalid'],
      [{ extra: 1 }, 'share_invalid'],
    ];
    for (const [change, code] of flaws) {
      assert.throws(() => parseShare(forgeShare(document, change)), { code });
    }
    const nonce = randomHex();
    const body = utf8Encode('A text.\n');
    const notice = encodeDocument({ type: 'notice', campaign: CAMPAIGN, nonce, body });
    assert.throws(() => parseShare(notice), ProtocolError);
    assert.throws(() => verifyShare(document, 'a'.repeat(64)), { code: 'commitment_mismatch' });
    assert.deepEqual(verifyShare(document, sha256Hex(document)), parseShare(document));
    assert.deepEqual(fromBase64(toBase64(share)), share);
  });
});
