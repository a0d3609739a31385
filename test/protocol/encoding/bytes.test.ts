import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import {
  concatBytes,
  equalBytes,
  fromBase58,
  fromBase64,
  fromBase64Url,
  fromHex,
  sha256,
  sha256Hex,
  sha256HexOfLarge,
  toBase58,
  toBase64,
  toBase64Url,
  toHex,
  utf8Decode,
  utf8Encode,
} from '../../../protocol/encoding/bytes.ts';

const refused = { name: 'ProtocolError', code: 'encoding_invalid' };
const bytes = fc.uint8Array({ maxLength: 80 });
const BASE64_CHARACTERS = ['A', 'B', 'Q', 'R', 'g', 'w', '+', '/', '=', '-', '_', ' ', '\n'];

/** Text that is nearly an encoding: a real one with one character put in the place of another. */
const spoilt = (encode: (value: Uint8Array) => string, characters: readonly string[]) =>
  fc
    .tuple(bytes, fc.nat(), fc.constantFrom(...characters), fc.boolean())
    .map(([value, position, character, insert]) => {
      const text = encode(value);
      const at = position % (text.length + 1);
      return text.slice(0, at) + character + text.slice(insert ? at : at + 1);
    });

/** Whatever `decode` accepts must be what `encode` writes. */
function assertCanonical(
  text: string,
  decode: (text: string) => Uint8Array,
  encode: (value: Uint8Array) => string,
): void {
  let value: Uint8Array;
  try {
    value = decode(text);
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'encoding_invalid');
    return;
  }
  assert.equal(encode(value), text);
}

describe('UTF-8', () => {
  it('decodes what it encoded (property)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        fc.pre(!text.startsWith('\ufeff'));
        assert.equal(utf8Decode(utf8Encode(text)), text);
      }),
    );
  });

  it('refuses to encode a lone surrogate', () => {
    assert.throws(() => utf8Encode('a\ud800'), refused);
    assert.deepEqual(utf8Encode('\u{1F600}'), Uint8Array.of(0xf0, 0x9f, 0x98, 0x80));
  });

  it('refuses a byte order mark, and everything that is not UTF-8', () => {
    for (const hex of ['efbbbf61', 'ff', 'c0af', 'eda080', 'f4908080', 'e282', 'fffe6100']) {
      assert.throws(() => utf8Decode(fromHex(hex, hex.length / 2)), refused, hex);
    }
  });

  it('keeps a zero-width no-break space that is not at the start', () => {
    assert.equal(utf8Decode(utf8Encode('a\ufeff')), 'a\ufeff');
  });
});

describe('concatBytes and equalBytes', () => {
  it('puts parts in order, into memory of its own', () => {
    const first = Uint8Array.of(1);
    const whole = concatBytes(first, Uint8Array.of(), Uint8Array.of(2, 3));
    first[0] = 9;
    assert.deepEqual(whole, Uint8Array.of(1, 2, 3));
    assert.deepEqual(concatBytes(), Uint8Array.of());
  });

  it('agrees with Buffer.equals (property)', () => {
    const short = fc.uint8Array({ maxLength: 3, max: 2 });
    fc.assert(
      fc.property(short, short, (a, b) => {
        assert.equal(equalBytes(a, b), Buffer.from(a).equals(b));
        assert.equal(equalBytes(a, Uint8Array.from(a)), true);
      }),
    );
  });
});

describe('hex', () => {
  it('is lower-case both ways (property)', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        assert.equal(toHex(value), Buffer.from(value).toString('hex'));
        assert.deepEqual(fromHex(toHex(value), value.length), value);
      }),
    );
  });

  it('refuses another length, upper case, and anything else', () => {
    for (const text of ['', 'a', '0a0', '0a0b', 'AB', '0X', 'g0', ' a', 'a\n', '0a\n', '٠٠']) {
      assert.throws(() => fromHex(text, 1), refused, JSON.stringify(text));
    }
  });
});

describe('base64', () => {
  it('agrees with Buffer and decodes what it encoded (property)', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        assert.equal(toBase64(value), Buffer.from(value).toString('base64'));
        assert.deepEqual(fromBase64(toBase64(value)), value);
      }),
    );
  });

  it('refuses missing or extra padding, unused bits, spaces and the other alphabet', () => {
    for (const text of [
      'YQ',
      'YQ=',
      'YQ===',
      'YR==',
      'YWI',
      'YWJ=',
      '=',
      '====',
      'Y',
      'YQ==YQ==',
    ]) {
      assert.throws(() => fromBase64(text), refused, text);
    }
    for (const text of [' YWJj', 'YWJj\n', 'YW\nJj', 'YW Jj', '-_-_', 'YWJj=', 'YWJjY', 'é===']) {
      assert.throws(() => fromBase64(text), refused, text);
    }
  });

  it('accepts one encoding a value (property)', () => {
    fc.assert(
      fc.property(spoilt(toBase64, BASE64_CHARACTERS), (text) => {
        assertCanonical(text, fromBase64, toBase64);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('base64url', () => {
  it('agrees with Buffer and decodes what it encoded (property)', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        assert.equal(toBase64Url(value), Buffer.from(value).toString('base64url'));
        assert.deepEqual(fromBase64Url(toBase64Url(value)), value);
      }),
    );
  });

  it('refuses padding, unused bits, spaces and the other alphabet', () => {
    for (const text of ['YQ==', 'YQ=', 'YR', 'YWJ', 'Y', '+/+/', 'YWJj\n', ' YQ', 'YWJjY']) {
      assert.throws(() => fromBase64Url(text), refused, text);
    }
  });

  it('accepts one encoding a value (property)', () => {
    fc.assert(
      fc.property(spoilt(toBase64Url, BASE64_CHARACTERS), (text) => {
        assertCanonical(text, fromBase64Url, toBase64Url);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('base58', () => {
  it('decodes what it encoded, at both ends of the length range too (property)', () => {
    const value = fc.oneof(bytes, fc.constant(new Uint8Array(32)), fc.constant(allOnes(64)));
    fc.assert(
      fc.property(value, (raw) => {
        assert.deepEqual(fromBase58(toBase58(raw), raw.length), raw);
      }),
    );
  });

  it('knows the system program and the longest key', () => {
    assert.equal(toBase58(new Uint8Array(32)), '1'.repeat(32));
    assert.equal(toBase58(allOnes(32)), 'JEKNVnkbo3jma5nREBBJCDoXFVeKkD56V3xKrvRmWxFG');
  });

  it('refuses another length, one digit more or less, and characters outside the alphabet', () => {
    const key = toBase58(allOnes(32));
    for (const text of ['', key.slice(2), `1${key}`, `${key}1`, '1'.repeat(31), '1'.repeat(33)]) {
      assert.throws(() => fromBase58(text, 32), refused, text);
    }
    for (const character of ['0', 'O', 'I', 'l', ' ', '\n', '+', 'é', '１']) {
      assert.throws(() => fromBase58(character + key.slice(1), 32), refused, character);
    }
  });

  it('refuses 44 digits that are more than 32 bytes', () => {
    assert.throws(() => fromBase58('z'.repeat(44), 32), refused);
  });

  it('refuses a million digits without decoding them', () => {
    // Decoding is quadratic: it would take an hour, and the test runner's patience is shorter.
    assert.throws(() => fromBase58('z'.repeat(1_000_000), 32), refused);
  });

  it('accepts one encoding a value (property)', () => {
    const text = spoilt(
      (value) => toBase58(concatBytes(value, allOnes(32)).slice(0, 32)),
      ['1', 'z', '0', 'l', ' '],
    );
    fc.assert(
      fc.property(text, (spoiltText) => {
        assertCanonical(spoiltText, (encoded) => fromBase58(encoded, 32), toBase58);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('decoding errors', () => {
  it('never quote the input, which may be secret', () => {
    const attempts = [
      () => fromHex('hunter2', 32),
      () => fromBase64('hunter2'),
      () => fromBase64Url('hunter2 '),
      () => fromBase58('hunter2l', 6),
    ];
    for (const attempt of attempts) {
      assert.throws(
        attempt,
        (error: Error) => !error.message.includes('hunter') && error.cause === undefined,
      );
    }
  });
});

describe('sha256', () => {
  it('agrees with OpenSSL (property)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (value) => {
        const expected = createHash('sha256').update(value).digest('hex');
        assert.equal(sha256Hex(value), expected);
        assert.equal(toHex(sha256(value)), expected);
        assert.equal(await sha256HexOfLarge(value), expected);
      }),
    );
  });
});

function allOnes(length: number): Uint8Array {
  return new Uint8Array(length).fill(0xff);
}
