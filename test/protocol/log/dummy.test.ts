import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { sha256Hex, toHex, utf8Decode } from '../../../protocol/encoding/bytes.ts';
import {
  DUMMY_LEVELS,
  dummyKeysBelow,
  dummyKeysEnd,
  dummyLeaf,
  dummyNonces,
  dummyOpening,
  formatDummyKeys,
  parseDummyKeys,
} from '../../../protocol/log/dummy.ts';
import { formatLeaf } from '../../../protocol/log/leaf.ts';
import { parseOpening } from '../../../protocol/log/opening.ts';

const SEED = new Uint8Array(32).fill(7);
const all = dummyNonces([{ level: DUMMY_LEVELS, index: 0, key: SEED }]);
const MAX_END = 2 ** DUMMY_LEVELS - 1;

/** The definition, by another HMAC: one step for each bit of the index, the highest first. */
function nonceOf(leaf: number): string {
  const bits = leaf.toString(2).padStart(DUMMY_LEVELS, '0');
  let key: Buffer = Buffer.from(SEED);
  for (const bit of bits) {
    key = createHmac('sha256', key).update(`sealdrop-dummy/v1 ${bit}`).digest();
  }
  return key.toString('hex');
}

const nonce = (leaf: number, nonces = all): string | undefined => {
  const found = nonces(leaf);
  return found && toHex(found);
};

describe('dummies', () => {
  it('have the nonces that the tree of keys gives, in whatever order they are asked for', () => {
    for (const leaf of [0, 1, 2, 3, 255, 256, 5, 2 ** 31, 2 ** 40 + 1, 0, MAX_END]) {
      assert.equal(nonce(leaf), nonceOf(leaf), `leaf ${leaf}`);
    }
  });

  it('open to a document that says so, and are sealed leaves like any other', () => {
    const found = all(12) ?? assert.fail();
    const opening = dummyOpening(found);
    assert.equal(
      utf8Decode(opening),
      'sealdrop-document/v1\ntype: opening\ncampaign: SDX-0000-0000\n' +
        `nonce: ${nonceOf(12)}\n\ndummy/v1\n`,
    );
    assert.equal(formatLeaf(dummyLeaf(found)), `sealed/v1 ${sha256Hex(opening)}\n`);
    assert.throws(() => parseOpening(opening), { code: 'leaf_invalid' }, 'nothing was recorded');
  });

  it('are opened up to a point, and not one behind it (property)', () => {
    const end = fc.oneof(fc.nat(600), fc.integer({ min: 0, max: MAX_END }));
    fc.assert(
      fc.property(end, fc.nat(600), (end, offset) => {
        const keys = dummyKeysBelow(SEED, end);
        const nonces = dummyNonces(keys);
        for (const leaf of [0, end - 1, end - 1 - offset]) {
          if (leaf >= 0 && leaf < end) assert.equal(nonce(leaf, nonces), nonce(leaf));
        }
        assert.equal(nonces(end), undefined);
        assert.equal(nonces(end + offset), undefined);
        assert.equal(dummyKeysEnd(keys), end);
        assert.ok(keys.length <= DUMMY_LEVELS);
      }),
    );
  });

  it('are opened by keys that are written in one way (property)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MAX_END }), (end) => {
        const keys = dummyKeysBelow(SEED, end);
        assert.deepEqual(parseDummyKeys(formatDummyKeys(keys)), keys);
      }),
    );
  });

  it('are not opened by malformed keys, or by others than those of the first leaves', () => {
    const text = formatDummyKeys(dummyKeysBelow(SEED, 0b1010));
    const [first = '', second = ''] = text.split(/(?<=\n)/);
    for (const wrong of [
      text.slice(0, -1),
      `${text}\n`,
      second,
      second + first,
      first + first,
      first.replace('3 0', '03 0'),
      first.replace('3 0', '3 1'),
      first.replace('3 0', '48 0'),
      first.replace(/[0-9a-f]{64}/, (hex) => hex.toUpperCase()),
      first.replace(/[0-9a-f]{2}\n/, '\n'),
      ` ${text}`,
    ]) {
      assert.throws(() => parseDummyKeys(wrong), { name: 'ProtocolError' }, JSON.stringify(wrong));
    }
    assert.deepEqual(parseDummyKeys(''), []);
  });

  it('end where a log ends', () => {
    for (const end of [-1, 0.5, 2 ** DUMMY_LEVELS]) {
      assert.throws(() => dummyKeysBelow(SEED, end), { code: 'leaf_invalid' });
    }
  });
});
