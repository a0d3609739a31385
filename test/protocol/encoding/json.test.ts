import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { fromHex, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { encodeJson, parseJson } from '../../../protocol/encoding/json.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { readVectors, type Vector } from '../../support/vectors.ts';

const LIMIT = 1_000_000;
const parse = (text: string) => parseJson(utf8Encode(text), LIMIT);

/** `text`, or `hex` where the bytes are not text. */
type Input = { readonly text?: string; readonly hex?: string };
const bytesOf = ({ text, hex = '' }: Input) =>
  text === undefined ? fromHex(hex, hex.length / 2) : utf8Encode(text);

describe('parseJson', () => {
  for (const vector of readVectors('json', 'valid') as (Vector & Input & { value: unknown })[]) {
    it(`accepts ${vector.name}`, () => {
      assert.deepEqual(parseJson(bytesOf(vector), LIMIT), vector.value);
    });
  }

  for (const vector of readVectors('json', 'invalid') as (Vector & Input & { code: string })[]) {
    it(`refuses ${vector.name}`, () => {
      assert.throws(() => parseJson(bytesOf(vector), LIMIT), { code: vector.code });
    });
  }

  it('refuses input above the limit before looking at it', () => {
    assert.deepEqual(parseJson(utf8Encode('[]'), 2), []);
    assert.throws(() => parseJson(Uint8Array.of(0xff, 0xff, 0xff), 2), { code: 'too_large' });
  });

  it('refuses 40,000 levels at once instead of overflowing the stack', () => {
    for (const text of ['['.repeat(40_000), '{"a":'.repeat(40_000)]) {
      assert.throws(() => parse(text), { name: 'ProtocolError', message: /nested/ });
    }
    assert.throws(() => parse(']'.repeat(40_000) + '['.repeat(40_000)), { name: 'ProtocolError' });
  });

  it('never quotes its input in an error', () => {
    for (const text of ['{"secret":', '{"secret":1,"secret":2}', '"secret\\u0061"', 'secret']) {
      assert.throws(
        () => parse(text),
        (error: Error) => !JSON.stringify([error.message, error.cause ?? '']).includes('secret'),
      );
    }
  });

  it('returns what JSON.parse returns, or throws a ProtocolError (property)', () => {
    // Fragments that belong together often, so that many inputs are nearly right.
    const fragment = fc.constantFrom(
      ...['{', '}', '[', ']', ',', ':', '"a"', '"b"', '"__proto__"', '"\\u0061"', '"\\ud800"'],
      ...['1', '-0', '1.0', '1e3', '0', 'true', 'null', ' ', '\n', '"', '\\', '\u{1F600}'],
    );
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 12 }), (fragments) => {
        const text = fragments.join('');
        try {
          assert.deepEqual(parse(text), JSON.parse(text));
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
        }
      }),
      { numRuns: 20_000 },
    );
  });

  it('accepts one spelling of a value only, apart from whitespace (property)', () => {
    const space = fc.stringMatching(/^[ \t\r\n]{0,3}$/);
    fc.assert(
      fc.property(plainJson(), space, (value, indent) => {
        const text = JSON.stringify(value);
        assert.deepEqual(parse(text), value);
        assert.deepEqual(parse(`${indent}${JSON.stringify(value, null, indent)}${indent}`), value);
      }),
    );
  });

  it('reads a changed byte as another value or refuses it (property)', () => {
    fc.assert(
      fc.property(plainJson(), fc.nat(), fc.nat(255), (value, at, byte) => {
        const bytes = encodeJson(value);
        const changed = bytes.with(at % bytes.length, byte);
        try {
          const other = parseJson(changed, LIMIT);
          if (Buffer.compare(bytes, changed) !== 0) assert.notDeepStrictEqual(other, value);
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
        }
      }),
    );
  });
});

describe('encodeJson', () => {
  it('is inverse to parseJson (property)', () => {
    fc.assert(
      fc.property(plainJson(), (value) => {
        assert.deepEqual(parseJson(encodeJson(value), LIMIT), value);
      }),
    );
  });

  it('writes nothing that parseJson would refuse', () => {
    const deep = JSON.parse('['.repeat(33) + ']'.repeat(33)) as unknown;
    const named = JSON.parse('{"__proto__":1}') as unknown;
    for (const value of ['\ud800', { '\udc00': 1 }, { 0: 1 }, named, deep]) {
      assert.throws(() => encodeJson(value), { code: 'encoding_invalid' });
    }
    assert.throws(() => encodeJson(undefined), TypeError);
  });
});

/** Values that JSON can carry exactly: no -0, no name that is not allowed. */
function plainJson(): fc.Arbitrary<unknown> {
  const name = fc.string({ unit: 'grapheme' }).filter((text) => !/^(?:\d+|__proto__)$/.test(text));
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.string({ unit: 'binary' }),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));
  return value;
}
