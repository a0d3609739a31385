import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as noble from '@noble/ed25519';
import fc from 'fast-check';

import { fromHex, toHex } from '../../../protocol/encoding/bytes.ts';
import { parseEd25519PublicKey } from '../../../protocol/signature/ed25519.ts';

// libsodium judges keys; noble, which is another implementation of the same rule, is asked too.

const P = 2n ** 255n - 19n;
const ORDER_8 = noble.Point.fromHex(
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
);
const smallOrder = Array.from({ length: 8 }, (_, i) =>
  i === 0 ? noble.Point.ZERO : ORDER_8.multiply(BigInt(i), false),
);

function isGood(bytes: Uint8Array): boolean {
  try {
    parseEd25519PublicKey(toHex(bytes));
    return true;
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'key_invalid');
    return false;
  }
}

function isGoodForNoble(bytes: Uint8Array): boolean {
  try {
    const point = noble.Point.fromBytes(bytes, false);
    return !point.is0() && point.isTorsionFree();
  } catch {
    return false;
  }
}

/** y and the sign of x as 32 bytes, canonical or not. */
function encode(y: bigint, sign: 0 | 1): Uint8Array {
  const bytes = fromHex(y.toString(16).padStart(64, '0'), 32).toReversed();
  bytes[31] = (bytes[31] ?? 0) | (sign << 7);
  return bytes;
}

const multiple = fc.bigInt(1n, 2n ** 250n).map((n) => noble.Point.BASE.multiply(n));

describe('libsodium and noble', () => {
  it('agree on any 32 bytes (property)', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        assert.equal(isGood(bytes), isGoodForNoble(bytes));
      }),
      { numRuns: 300 },
    );
  });

  it('accept multiples of the base point, and none of them with a small-order part (property)', () => {
    fc.assert(
      fc.property(multiple, fc.nat(7), (point, i) => {
        const bytes = point.add(smallOrder[i] ?? noble.Point.ZERO).toBytes();
        assert.equal(isGood(bytes), i === 0);
        assert.equal(isGoodForNoble(bytes), i === 0);
      }),
      { numRuns: 100 },
    );
  });

  it('refuse every point of small order', () => {
    for (const point of smallOrder) {
      assert.equal(isGood(point.toBytes()), false);
      assert.equal(isGoodForNoble(point.toBytes()), false);
    }
  });

  it('refuse every encoding that is not canonical, and x = 0 with a sign', () => {
    const ys = Array.from({ length: 19 }, (_, i) => P + BigInt(i));
    for (const y of [...ys, 0n, 1n, P - 1n]) {
      for (const sign of [0, 1] as const) {
        assert.equal(isGood(encode(y, sign)), false, `${y} ${sign}`);
        assert.equal(isGoodForNoble(encode(y, sign)), false, `${y} ${sign}`);
      }
    }
  });

  it('agree on points with a small y', () => {
    const verdicts = Array.from({ length: 300 }, (_, i) => encode(BigInt(i), i % 2 === 0 ? 0 : 1));
    for (const bytes of verdicts) assert.equal(isGood(bytes), isGoodForNoble(bytes));
    assert.ok(verdicts.some(isGood));
  });
});
