import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { fromHex, toHex, utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import {
  encodeEnvelope,
  type Envelope,
  mergeSignatures,
  parseEnvelope,
  preAuthEncoding,
  readEnvelope,
  signEnvelope,
  STATEMENT_TYPE,
  verifyEnvelope,
} from '../../../protocol/signature/dsse.ts';
import { type Ed25519PublicKey, verifyWithNoble } from '../../../protocol/signature/ed25519.ts';
import { signerFromSeed, verifyEd25519 } from '../../../platform/ed25519.ts';
import { readVectors, type Vector } from '../../support/vectors.ts';

interface EnvelopeVector extends Vector {
  readonly envelope: string;
  readonly signers: Readonly<Record<string, string>>;
  readonly threshold: number;
}
const signersOf = ({ signers }: EnvelopeVector) =>
  new Map(Object.entries(signers) as [Ed25519PublicKey, string][]);
const open = (vector: EnvelopeVector, verify = verifyEd25519) =>
  verifyEnvelope(
    parseEnvelope(utf8Encode(vector.envelope)),
    verify,
    signersOf(vector),
    vector.threshold,
  );

const [ada, bo, cy] = [1, 2, 3].map((byte) => signerFromSeed(new Uint8Array(32).fill(byte))) as [
  ReturnType<typeof signerFromSeed>,
  ReturnType<typeof signerFromSeed>,
  ReturnType<typeof signerFromSeed>,
];
const people = new Map([
  [ada.publicKey, 'ada'],
  [bo.publicKey, 'bo'],
]);
const payload = utf8Encode('{}');
const someSigners = fc.uniqueArray(fc.constantFrom(ada, bo, cy), { minLength: 1 });

describe('DSSE vectors', () => {
  for (const vector of readVectors('dsse', 'valid') as (EnvelopeVector & {
    payload: string;
    people: string[];
  })[]) {
    it(`accept ${vector.name}`, () => {
      for (const verify of [verifyEd25519, verifyWithNoble]) {
        const result = open(vector, verify);
        assert.equal(toHex(result.payload), vector.payload);
        assert.deepEqual(result.people, vector.people);
      }
    });
  }

  for (const vector of readVectors('dsse', 'invalid') as (EnvelopeVector & { code: string })[]) {
    it(`refuse ${vector.name}`, () => {
      for (const verify of [verifyEd25519, verifyWithNoble]) {
        assert.throws(() => open(vector, verify), { name: 'ProtocolError', code: vector.code });
      }
    });
  }
});

describe('preAuthEncoding', () => {
  it('is that of the DSSE specification', () => {
    assert.equal(
      utf8Decode(preAuthEncoding('http://example.com/HelloWorld', utf8Encode('hello world'))),
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    );
  });

  it('counts bytes, not characters', () => {
    const encoded = preAuthEncoding('é', fromHex('00ff', 2));
    assert.equal(toHex(encoded), toHex(utf8Encode('DSSEv1 2 é 2 ')) + '00ff');
  });

  it('differs for every other type or payload (property)', () => {
    // Digits and spaces, so that a boundary that could move would.
    const part = fc.stringMatching(/^[12 ]{0,4}$/);
    fc.assert(
      fc.property(part, part, part, part, (type1, payload1, type2, payload2) => {
        const same = type1 === type2 && payload1 === payload2;
        const one = toHex(preAuthEncoding(type1, utf8Encode(payload1)));
        const two = toHex(preAuthEncoding(type2, utf8Encode(payload2)));
        assert.equal(one === two, same);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('parseEnvelope and encodeEnvelope', () => {
  it('read back what was written, in one order of signatures (property)', () => {
    fc.assert(
      fc.property(fc.uint8Array(), someSigners, (bytes, signers) => {
        const envelope = signEnvelope(bytes, ...signers);
        const reversed = signEnvelope(bytes, ...signers.toReversed());
        assert.deepEqual(parseEnvelope(encodeEnvelope(envelope)), envelope);
        assert.deepEqual(encodeEnvelope(reversed), encodeEnvelope(envelope));
      }),
    );
  });

  it('have the same limit of 128 KiB', () => {
    const room = 128 * 1024 - encodeEnvelope(signEnvelope(new Uint8Array(), ada)).length;
    const largest = new Uint8Array(Math.floor(room / 4) * 3);
    const envelope = signEnvelope(largest, ada);
    assert.equal(parseEnvelope(encodeEnvelope(envelope)).payload.length, largest.length);

    const tooLarge = signEnvelope(new Uint8Array(largest.length + 1), ada);
    assert.throws(() => encodeEnvelope(tooLarge), { code: 'too_large' });
    assert.throws(() => parseEnvelope(new Uint8Array(128 * 1024 + 1)), { code: 'too_large' });

    const json = JSON.parse(utf8Decode(encodeEnvelope(envelope))) as { payload: string };
    assert.deepEqual(readEnvelope(json), envelope);
    json.payload += 'AAAA';
    assert.throws(() => readEnvelope(json), { code: 'too_large' });
  });

  it('write the member names of DSSE and its payload type', () => {
    const json = JSON.parse(utf8Decode(encodeEnvelope(signEnvelope(payload, ada)))) as object;
    assert.deepEqual(Object.keys(json), ['payloadType', 'payload', 'signatures']);
    assert.equal((json as { payloadType: string }).payloadType, STATEMENT_TYPE);
  });

  it('cost nothing for key ids that are no keys', () => {
    // A key id is a claim until verified: checking 64 points for each stranger would be a gift.
    const text = utf8Decode(encodeEnvelope(signEnvelope(payload, ada)));
    const envelope = parseEnvelope(utf8Encode(text.replace(ada.publicKey, '0'.repeat(64))));
    assert.equal(envelope.signatures[0]?.keyid, '0'.repeat(64));
    assert.throws(() => verifyEnvelope(envelope, verifyEd25519, people, 1), {
      code: 'signature_invalid',
    });
  });
});

describe('signEnvelope', () => {
  it('refuses to sign with nobody, or with one key twice', () => {
    assert.throws(() => signEnvelope(payload), { code: 'envelope_invalid' });
    assert.throws(() => signEnvelope(payload, ada, ada), { code: 'envelope_invalid' });
  });
});

describe('mergeSignatures', () => {
  it('joins what two people signed', () => {
    const merged = mergeSignatures(signEnvelope(payload, bo), signEnvelope(payload, ada));
    assert.deepEqual(merged, signEnvelope(payload, ada, bo));
  });

  it('refuses different payloads', () => {
    const other = signEnvelope(utf8Encode('{ }'), bo);
    assert.throws(() => mergeSignatures(signEnvelope(payload, ada), other), {
      code: 'envelope_invalid',
    });
  });

  it('keeps the first of two signatures by one key', () => {
    const mine = signEnvelope(payload, ada);
    const theirs: Envelope = {
      payload,
      signatures: [{ keyid: ada.publicKey, sig: new Uint8Array(64) }],
    };
    assert.deepEqual(mergeSignatures(mine, theirs), mine);
  });

  it('refuses more than 64 signatures in all', () => {
    const claim = (count: number, prefix: string): Envelope => ({
      payload,
      signatures: Array.from({ length: count }, (_, index) => ({
        keyid: `${prefix}${String(index)}`.padEnd(64, 'f') as Ed25519PublicKey,
        sig: new Uint8Array(64),
      })),
    });
    assert.equal(mergeSignatures(claim(32, 'a'), claim(32, 'b')).signatures.length, 64);
    assert.throws(() => mergeSignatures(claim(32, 'a'), claim(33, 'b')), {
      code: 'envelope_invalid',
    });
  });

  it('does not depend on order and gives nothing when repeated (property)', () => {
    fc.assert(
      fc.property(someSigners, someSigners, (left, right) => {
        const [a, b] = [signEnvelope(payload, ...left), signEnvelope(payload, ...right)];
        const merged = mergeSignatures(a, b);
        assert.deepEqual(mergeSignatures(b, a), merged);
        assert.deepEqual(mergeSignatures(merged, b), merged);
        assert.deepEqual(merged, signEnvelope(payload, ...new Set([...left, ...right])));
      }),
    );
  });
});

describe('verifyEnvelope', () => {
  it('looks up every key before it verifies anything', () => {
    const refuse = () => assert.fail('verified');
    assert.throws(() => verifyEnvelope(signEnvelope(payload, ada, bo, cy), refuse, people, 1), {
      code: 'signature_invalid',
    });
  });

  it('counts people, not keys', () => {
    const twoKeys = new Map([...people, [cy.publicKey, 'ada']]);
    const byAda = signEnvelope(payload, ada, cy);
    assert.deepEqual(verifyEnvelope(byAda, verifyEd25519, twoKeys, 1).people, ['ada']);
    assert.throws(() => verifyEnvelope(byAda, verifyEd25519, twoKeys, 2), {
      code: 'threshold_unmet',
    });
  });

  it('meets a threshold exactly when so many people signed (property)', () => {
    const all = new Map([...people, [cy.publicKey, 'cy']]);
    fc.assert(
      fc.property(someSigners, fc.integer({ min: 1, max: 4 }), (signers, threshold) => {
        const verify = () =>
          verifyEnvelope(signEnvelope(payload, ...signers), verifyEd25519, all, threshold);
        if (signers.length < threshold) assert.throws(verify, { code: 'threshold_unmet' });
        else assert.equal(verify().people.length, signers.length);
      }),
    );
  });

  it('lists people by name, whatever the order of their keys', () => {
    const envelope = signEnvelope(payload, ada, bo);
    for (const names of [
      ['x', 'y'],
      ['y', 'x'],
    ]) {
      const named = new Map(
        [ada, bo].map(({ publicKey }, index) => [publicKey, names[index] ?? '']),
      );
      assert.deepEqual(verifyEnvelope(envelope, verifyEd25519, named, 2).people, ['x', 'y']);
    }
  });

  it('takes a threshold below 1 for a bug of ours', () => {
    const envelope = signEnvelope(payload, ada);
    for (const threshold of [0, -1, NaN, 0.5]) {
      assert.throws(() => verifyEnvelope(envelope, verifyEd25519, people, threshold), RangeError);
    }
  });

  it('refuses an envelope without signatures, whoever made it', () => {
    assert.throws(() => verifyEnvelope({ payload, signatures: [] }, verifyEd25519, people, 1), {
      code: 'threshold_unmet',
    });
  });

  it('refuses any changed bit of payload or signature (property)', () => {
    const signed = signEnvelope(payload, ada);
    const flip = (bytes: Uint8Array, bit: number) => {
      const at = (bit >> 3) % bytes.length;
      return bytes.with(at, (bytes[at] ?? 0) ^ (1 << (bit & 7)));
    };
    fc.assert(
      fc.property(fc.nat(1023), fc.boolean(), (bit, inPayload) => {
        const envelope: Envelope = inPayload
          ? { ...signed, payload: flip(signed.payload, bit) }
          : {
              ...signed,
              signatures: signed.signatures.map(({ keyid, sig }) => ({
                keyid,
                sig: flip(sig, bit),
              })),
            };
        assert.throws(() => verifyEnvelope(envelope, verifyEd25519, people, 1), {
          code: 'signature_invalid',
        });
      }),
    );
  });
});
