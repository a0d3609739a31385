import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';

import * as noble from '@noble/ed25519';
import fc from 'fast-check';

import { concatBytes, fromHex, toHex } from '../../protocol/encoding/bytes.ts';
import {
  type Ed25519PublicKey,
  parseEd25519PublicKey,
  type VerifyEd25519,
  verifyWithNoble,
} from '../../protocol/signature/ed25519.ts';
import { generateSeed, signerFromSeed, verifyEd25519 } from '../../platform/ed25519.ts';
import { readVectors, type Vector } from '../support/vectors.ts';

interface SignatureVector extends Vector {
  readonly publicKey: string;
  readonly message: string;
  readonly signature: string;
}
type Verdict = boolean | 'key_invalid';

const bytesOf = (hex: string) => fromHex(hex, hex.length / 2);

/** Ask without `parseEd25519PublicKey`: verifying has to refuse bad keys by itself. */
function ask(verify: VerifyEd25519, publicKey: string, message: Uint8Array, signature: Uint8Array) {
  try {
    return verify(publicKey as Ed25519PublicKey, message, signature);
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'key_invalid');
    return 'key_invalid';
  }
}

/** Both implementations' verdict, after asserting that it is one. */
function verdict(publicKey: string, message: Uint8Array, signature: Uint8Array): Verdict {
  const fast = ask(verifyEd25519, publicKey, message, signature);
  assert.equal(ask(verifyWithNoble, publicKey, message, signature), fast);
  return fast;
}
const verdictOn = ({ publicKey, message, signature }: Omit<SignatureVector, 'name'>) =>
  verdict(publicKey, bytesOf(message), bytesOf(signature));

const seed = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe('OpenSSL and noble', () => {
  for (const vector of readVectors('ed25519', 'valid') as SignatureVector[]) {
    it(`accept ${vector.name}`, () => {
      assert.equal(verdictOn(vector), true);
    });
  }

  for (const vector of readVectors('ed25519', 'invalid') as (SignatureVector & {
    code: string;
  })[]) {
    it(`refuse ${vector.name}`, () => {
      const expected = vector.code === 'signature_invalid' ? false : vector.code;
      assert.equal(verdictOn(vector), expected);
    });
  }

  const speccheck = new URL('../../../shared/vectors/ed25519-speccheck.json', import.meta.url);
  const skip = existsSync(speccheck) ? false : 'ed25519-speccheck.json is not there';
  it('agree on every speccheck vector', { skip }, () => {
    const cases = JSON.parse(readFileSync(speccheck, 'utf8')) as {
      pub_key: string;
      message: string;
      signature: string;
    }[];
    const verdicts = cases.map((each) =>
      verdictOn({ publicKey: each.pub_key, message: each.message, signature: each.signature }),
    );
    // 0 and 1, 10 and 11: A of small order; 2 to 5 and 8, 9: A of mixed order; 6, 7: S ≥ L.
    const bad = 'key_invalid';
    assert.deepEqual(verdicts, [bad, bad, bad, bad, bad, bad, false, false, bad, bad, bad, bad]);
  });

  it('agree that S + nL is refused for every n (property)', () => {
    const order = noble.Point.CURVE().n;
    fc.assert(
      fc.property(seed, fc.bigInt(1n, 14n), (bytes, n) => {
        const signer = signerFromSeed(bytes);
        const signature = signer.sign(bytes);
        const larger = littleEndian(toNumber(signature.subarray(32)) + n * order);
        assert.equal(
          verdict(signer.publicKey, bytes, concatBytes(signature.subarray(0, 32), larger)),
          false,
        );
      }),
      { numRuns: 30 },
    );
  });

  it('accept what was signed and refuse it with any bit changed (property)', () => {
    fc.assert(
      fc.property(seed, fc.uint8Array(), fc.nat(511), (bytes, message, bit) => {
        const signer = signerFromSeed(bytes);
        const signature = signer.sign(message);
        assert.equal(verdict(signer.publicKey, message, signature), true);
        assert.equal(verdict(signer.publicKey, message, flip(signature, bit)), false);
        assert.equal(
          verdict(signer.publicKey, concatBytes(message, message), signature),
          message.length === 0,
        );
      }),
      { numRuns: 40 },
    );
  });

  it('agree when a point of small order is added to R, and the identity put in its place (property)', () => {
    const torsion = noble.Point.fromHex(
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    );
    fc.assert(
      fc.property(seed, fc.bigInt(1n, 2n ** 250n), fc.nat(7), (bytes, nonce, times) => {
        const { scalar, pointBytes } = noble.utils.getExtendedPublicKey(bytes);
        const addTorsion = (point: noble.Point) =>
          point.add(torsion.multiply(BigInt(times), false));
        // The cofactored equation holds for each; the strict one where nothing was added.
        const signed = craft(
          addTorsion(noble.Point.BASE.multiply(nonce)),
          nonce,
          scalar,
          pointBytes,
        );
        assert.equal(verdict(toHex(pointBytes), MESSAGE, signed), times === 0);
        const identity = craft(addTorsion(noble.Point.ZERO), 0n, scalar, pointBytes);
        assert.equal(verdict(toHex(pointBytes), MESSAGE, identity), false);
      }),
      { numRuns: 40 },
    );
  });

  it('agree on bytes that nobody signed (property)', () => {
    const key = fc.oneof(
      seed.map((bytes) => signerFromSeed(bytes).publicKey),
      seed.map(toHex),
    );
    const signature = fc.uint8Array({ minLength: 63, maxLength: 65 });
    fc.assert(
      fc.property(key, seed, signature, (publicKey, message, bytes) => {
        assert.notEqual(verdict(publicKey, message, bytes), true);
      }),
      { numRuns: 40 },
    );
  });
});

describe('signerFromSeed', () => {
  it('signs as RFC 8032 says (property)', () => {
    fc.assert(
      fc.property(seed, fc.uint8Array(), (bytes, message) => {
        const signer = signerFromSeed(bytes);
        assert.equal(signer.publicKey, toHex(noble.getPublicKey(bytes)));
        assert.deepEqual(signer.sign(message), new Uint8Array(noble.sign(message, bytes)));
      }),
      { numRuns: 20 },
    );
  });

  it('refuses a seed of another length', () => {
    for (const length of [0, 31, 33, 64]) {
      assert.throws(() => signerFromSeed(new Uint8Array(length)), RangeError);
    }
  });

  it('shows no secret when printed or serialised', () => {
    const bytes = new Uint8Array(32).fill(0xab);
    const signer = signerFromSeed(bytes);
    for (const shown of [JSON.stringify(signer), inspect(signer, { depth: 9, showHidden: true })]) {
      assert.equal(/abab|171, ?171|q6ur/i.test(shown), false, shown);
    }
  });

  it('has a public key that passes the check which it skips, for every seed (property)', () => {
    const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(seeds, (bytes) => {
        const { publicKey } = signerFromSeed(bytes);
        assert.equal(parseEd25519PublicKey(publicKey), publicKey);
      }),
      { numRuns: 50 },
    );
  });
});

describe('generateSeed', () => {
  it('draws 32 fresh bytes that make a usable key', () => {
    const [one, two] = [generateSeed(), generateSeed()];
    assert.equal(one.length, 32);
    assert.notDeepEqual(one, two);
    assert.doesNotThrow(() => parseEd25519PublicKey(signerFromSeed(one).publicKey));
  });
});

const MESSAGE = new TextEncoder().encode('sealdrop');

/** Sign with a chosen R, so that 8SB = 8R + 8kA. */
function craft(R: noble.Point, nonce: bigint, scalar: bigint, publicKey: Uint8Array): Uint8Array {
  const order = noble.Point.CURVE().n;
  const encoded = R.toBytes();
  const challenge = toNumber(noble.hash(concatBytes(encoded, publicKey, MESSAGE))) % order;
  return concatBytes(encoded, littleEndian((nonce + challenge * scalar) % order));
}

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const at = bit >> 3;
  return bytes.with(at, (bytes[at] ?? 0) ^ (1 << (bit & 7)));
}

function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes.toReversed())}`);
}

function littleEndian(number: bigint): Uint8Array {
  return fromHex(number.toString(16).padStart(64, '0'), 32).reverse();
}
