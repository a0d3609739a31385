import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { combine } from 'shamir-secret-sharing';
import { generateKey } from '../../../protocol/embargo/age.ts';
import {
  checkSplit,
  combineShares,
  verifyPlannedShare,
} from '../../../protocol/embargo/planned-shares.ts';
import { parseShare } from '../../../protocol/embargo/share.ts';
import type { OfficerShare } from '../../../protocol/embargo/share.ts';
import { toBase64, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { planOf, split, forgeShare } from './shares.ts';

function subsets<T>(items: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, index) =>
    subsets(items.slice(index + 1), size - 1).map((rest) => [item, ...rest]),
  );
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
