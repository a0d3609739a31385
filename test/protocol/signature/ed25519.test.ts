import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { fromHex } from '../../../protocol/encoding/bytes.ts';
import {
  type Ed25519PublicKey,
  parseEd25519PublicKey,
  verifyWithNoble,
} from '../../../protocol/signature/ed25519.ts';
import { signerFromSeed } from '../../../platform/ed25519.ts';
import { readVectors, type Vector } from '../../support/vectors.ts';

interface SignatureVector extends Vector {
  readonly publicKey: string;
  readonly message: string;
  readonly signature: string;
}
const bytesOf = (hex: string) => fromHex(hex, hex.length / 2);
const verdict = ({ publicKey, message, signature }: SignatureVector) =>
  verifyWithNoble(parseEd25519PublicKey(publicKey), bytesOf(message), bytesOf(signature));

describe('verifyWithNoble', () => {
  for (const vector of readVectors('ed25519', 'valid') as SignatureVector[]) {
    it(`accepts ${vector.name}`, () => {
      assert.equal(verdict(vector), true);
    });
  }

  for (const vector of readVectors('ed25519', 'invalid') as (SignatureVector & {
    code: string;
  })[]) {
    it(`refuses ${vector.name}`, () => {
      if (vector.code === 'signature_invalid') assert.equal(verdict(vector), false);
      else assert.throws(() => verdict(vector), { code: vector.code });
    });
  }

  it('refuses a key that was never checked, however it got its type', () => {
    const unchecked = '0'.repeat(64) as Ed25519PublicKey;
    assert.throws(() => verifyWithNoble(unchecked, new Uint8Array(), new Uint8Array(64)), {
      code: 'key_invalid',
    });
  });
});

describe('parseEd25519PublicKey', () => {
  it('returns the text it was given, the second time too', () => {
    const { publicKey } = signerFromSeed(new Uint8Array(32).fill(3));
    assert.equal(parseEd25519PublicKey(publicKey), publicKey);
    assert.equal(parseEd25519PublicKey(publicKey), publicKey);
  });

  it('refuses a bad key the second time too', () => {
    for (let attempt = 0; attempt < 2; attempt++) {
      assert.throws(() => parseEd25519PublicKey('0'.repeat(64)), { code: 'key_invalid' });
    }
  });

  it('accepts what key generation makes and about one in sixteen other texts (property)', () => {
    let good = 0;
    let total = 0;
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const hex = Buffer.from(bytes).toString('hex');
        assert.doesNotThrow(() => parseEd25519PublicKey(signerFromSeed(bytes).publicKey));
        total++;
        try {
          parseEd25519PublicKey(hex);
          good++;
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'key_invalid');
        }
      }),
      { numRuns: 200, seed: 1 },
    );
    // Half of all y are on the curve, an eighth of those points are torsion-free.
    assert.ok(good > 0 && good < total / 8, `${String(good)} of ${String(total)}`);
  });
});
