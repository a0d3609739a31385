import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeDocument } from '../../../protocol/commitment/document.ts';
import { generateKey } from '../../../protocol/embargo/age.ts';
import { parseShare, splitKey, verifyShare } from '../../../protocol/embargo/share.ts';
import { fromBase64, sha256Hex, toBase64, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { randomHex } from './sealed-campaign.ts';
import { CAMPAIGN, split, forgeShare } from './shares.ts';

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
