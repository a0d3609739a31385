import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { publicKeyHex } from '../../../protocol/signature/key-shape.ts';

const KEY = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';

describe('publicKeyHex', () => {
  it('accepts one form of a good key only', () => {
    assert.equal(publicKeyHex.safeParse(KEY).data, KEY);
    // Zero is a point of order four.
    const bad = ['0'.repeat(64), `01${'0'.repeat(62)}`];
    for (const value of [...bad, KEY.toUpperCase(), KEY.slice(2), `0x${KEY}`]) {
      assert.equal(publicKeyHex.safeParse(value).success, false, value);
    }
  });
});
