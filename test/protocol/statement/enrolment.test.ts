import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { toBase58, utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { parseEnvelope, signEnvelope } from '../../../protocol/signature/dsse.ts';
import { verifyWithNoble } from '../../../protocol/signature/ed25519.ts';
import type { Signer } from '../../../protocol/signature/ed25519.ts';
import {
  encodeEnrolment,
  enrolmentText,
  parseEnrolment,
  verifyEnrolment,
} from '../../../protocol/statement/enrolment.ts';
import type {
  Enrolment,
  EnrolmentFields,
  IdentityProof,
} from '../../../protocol/statement/enrolment.ts';
import { legacyOffchainMessage } from '../../../protocol/statement/solana-offchain.ts';
import { readVectors, type Vector } from '../../support/vectors.ts';
import { digestNamed } from '../plan/plans.ts';
import { identityNamed } from '../stake/identities.ts';
import { NETWORK, ORIGIN, OTHER_NETWORK, signerNamed } from '../trust/network.ts';

interface EnrolmentVector extends Vector {
  readonly envelope: string;
  readonly text?: readonly string[];
  readonly operator?: string;
  readonly validators?: readonly string[];
  readonly code?: string;
}

const operator = signerNamed('operator');
const fields: EnrolmentFields = {
  network: NETWORK,
  origin: ORIGIN,
  operator: operator.publicKey,
  openpgp: '0123456789ABCDEF0123456789ABCDEF01234567',
  nonce: digestNamed('nonce'),
  issuedAt: '2026-10-01T12:00:00Z',
};

/** What `solana sign-offchain-message` would give for the identity of that name. */
function proofBy(name: string, text = enrolmentText(fields, identityNamed(name))): IdentityProof {
  const signature = signerNamed(`validator ${name}`).sign(legacyOffchainMessage(text));
  return {
    validator: identityNamed(name),
    scheme: 'solana-offchain-legacy',
    signature: toBase58(signature),
  };
}

const sorted = (...proofs: readonly IdentityProof[]): readonly IdentityProof[] =>
  proofs.toSorted((a, b) => (a.validator < b.validator ? -1 : 1));

const proofs = sorted(proofBy('a'), proofBy('b'), proofBy('c'));
const enrolment: Enrolment = { ...fields, proofs };

const verify = (it: Enrolment, ...signers: readonly Signer[]): Enrolment =>
  verifyEnrolment(
    signEnvelope(encodeEnrolment(it), ...(signers.length > 0 ? signers : [operator])),
    verifyEd25519,
  );

const refused = (code: string, run: () => unknown): void => {
  assert.throws(run, { code });
};

describe('an enrolment', () => {
  for (const vector of readVectors('enrolment', 'valid') as EnrolmentVector[]) {
    it(`is accepted: ${vector.name}`, () => {
      const it = verifyEnrolment(parseEnvelope(utf8Encode(vector.envelope)), verifyEd25519);
      const validators = it.proofs.map(({ validator }) => validator);
      assert.equal(it.operator, vector.operator);
      assert.deepEqual(validators, vector.validators);
      assert.deepEqual(
        validators.map((validator) => enrolmentText(it, validator)),
        vector.text,
      );
    });
  }

  for (const { name, envelope, code } of readVectors('enrolment', 'invalid') as EnrolmentVector[]) {
    it(`is refused: ${name}`, () => {
      const parsed = parseEnvelope(utf8Encode(envelope));
      for (const verifier of [verifyEd25519, verifyWithNoble]) {
        refused(code ?? '', () => verifyEnrolment(parsed, verifier));
      }
    });
  }

  it('is verified with every proof, by either verifier', () => {
    assert.deepEqual(verify(enrolment), enrolment);
    const envelope = signEnvelope(encodeEnrolment(enrolment), operator);
    assert.deepEqual(verifyEnrolment(envelope, verifyWithNoble), enrolment);
  });

  it('has the identities sign one printable line under 1000 bytes, however long its parts', () => {
    const longest = { ...fields, origin: 'o'.repeat(200) };
    const text = enrolmentText(longest, identityNamed('a'));
    assert.match(text, /^[\x20-\x7e]{100,999}$/);
    assert.equal(
      enrolmentText({ ...fields, nonce: 'ab'.repeat(32) }, '11111111111111111111111111111111'),
      'sealdrop:v1:enrol network=solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d ' +
        'server=sealdrop.example.org/solana validator=11111111111111111111111111111111 ' +
        `operator=${operator.publicKey} openpgp=0123456789ABCDEF0123456789ABCDEF01234567 ` +
        `nonce=${'ab'.repeat(32)} issued=2026-10-01T12:00:00Z`,
    );
  });

  it('tells any two texts apart that differ in any field', () => {
    const texts = [
      enrolmentText(fields, identityNamed('a')),
      enrolmentText(fields, identityNamed('b')),
      ...[
        { network: OTHER_NETWORK },
        { origin: 'sealdrop.example.org/other' },
        { operator: signerNamed('eve').publicKey },
        { openpgp: 'F'.repeat(40) },
        { nonce: digestNamed('other') },
        { issuedAt: '2026-10-01T12:00:01Z' },
      ].map((change) => enrolmentText({ ...fields, ...change }, identityNamed('a'))),
    ];
    assert.equal(new Set(texts).size, texts.length);
  });

  it('binds nothing with any field changed after the identities signed', () => {
    for (const change of [
      { network: OTHER_NETWORK },
      { origin: 'evil.example.org/solana' },
      { openpgp: 'F'.repeat(40) },
      { nonce: digestNamed('other') },
      { issuedAt: '2026-10-01T12:00:01Z' },
    ]) {
      refused('binding_invalid', () => verify({ ...enrolment, ...change }));
    }
  });

  it("cannot be taken over: another operator's key under the same proofs is refused", () => {
    const eve = signerNamed('eve');
    refused('binding_invalid', () => verify({ ...enrolment, operator: eve.publicKey }, eve));
  });

  it('is signed by the operator key alone', () => {
    const eve = signerNamed('eve');
    refused('signature_invalid', () => verify(enrolment, eve));
    refused('signature_invalid', () => verify(enrolment, operator, eve));
    refused('signature_invalid', () => verify(enrolment, signerNamed('validator a')));
  });

  it('fails whole when one proof of many does not hold', () => {
    const [first, ...rest] = proofs;
    assert.ok(first);
    const stolen = { ...first, signature: rest[0]?.signature ?? '' };
    refused('binding_invalid', () => verify({ ...enrolment, proofs: [stolen, ...rest] }));
    const zero = { ...first, signature: '1'.repeat(64) };
    refused('binding_invalid', () => verify({ ...enrolment, proofs: [zero, ...rest] }));
  });

  it('refuses a proof for another validator than the one it names', () => {
    const text = enrolmentText(fields, identityNamed('a'));
    refused('binding_invalid', () => verify({ ...enrolment, proofs: [proofBy('b', text)] }));
  });

  it('refuses a proof that is not over the off-chain message', () => {
    const text = enrolmentText(fields, identityNamed('a'));
    const signer = signerNamed('validator a');
    const raw = signer.sign(utf8Encode(text));
    const bare = legacyOffchainMessage(text).subarray(1);
    for (const signature of [
      raw,
      signer.sign(bare),
      signer.sign(legacyOffchainMessage(`${text} `)),
    ]) {
      const proof = { ...proofBy('a'), signature: toBase58(signature) };
      refused('binding_invalid', () => verify({ ...enrolment, proofs: [proof] }));
    }
  });

  it('refuses an identity of small order, with which anyone could sign', () => {
    // The neutral element: R = A and S = 0 satisfy the bare equation for any message.
    const neutral = Uint8Array.of(1, ...new Uint8Array(31));
    const forged = Uint8Array.of(...neutral, ...new Uint8Array(32));
    const proof: IdentityProof = {
      validator: toBase58(neutral),
      scheme: 'solana-offchain-legacy',
      signature: toBase58(forged),
    };
    refused('binding_invalid', () => verify({ ...enrolment, proofs: [proof] }));
    const allZero = '1'.repeat(32);
    refused('binding_invalid', () =>
      verify({ ...enrolment, proofs: [{ ...proof, validator: allZero }] }),
    );
  });

  it('refuses an S that is not reduced', () => {
    const proof = proofBy('a');
    const bytes = Buffer.from(
      signerNamed('validator a').sign(
        legacyOffchainMessage(enrolmentText(fields, proof.validator)),
      ),
    );
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = BigInt(`0x${Buffer.from(bytes.subarray(32).toReversed()).toString('hex')}`) + order;
    const reversed = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').toReversed();
    const malleated = toBase58(Uint8Array.of(...bytes.subarray(0, 32), ...reversed));
    refused('binding_invalid', () =>
      verify({ ...enrolment, proofs: [{ ...proof, signature: malleated }] }),
    );
  });

  it('refuses an operator key that is one of the identities: the hot key must rest', () => {
    const hot = signerNamed('validator a');
    const own = { ...fields, operator: hot.publicKey };
    const proof = proofBy('a', enrolmentText(own, identityNamed('a')));
    refused('binding_invalid', () => verify({ ...own, proofs: [proof] }, hot));
  });

  const [first, second, third] = proofs;
  assert.ok(first && second && third);
  const flaws: Readonly<Record<string, object>> = {
    'a member that is not known': { ...enrolment, note: '' },
    'no proof': { ...enrolment, proofs: [] },
    'proofs out of order': { ...enrolment, proofs: [second, first, third] },
    'a validator twice': { ...enrolment, proofs: [first, first] },
    'another scheme': { ...enrolment, proofs: [{ ...first, scheme: 'raw' }] },
    'a signature in hex': { ...enrolment, proofs: [{ ...first, signature: 'ab'.repeat(64) }] },
    'a fingerprint in lower case': { ...enrolment, openpgp: fields.openpgp.toLowerCase() },
    'a key id in place of a fingerprint': { ...enrolment, openpgp: '0123456789ABCDEF' },
    'an origin with a space, which would add a word to the text': {
      ...enrolment,
      origin: 'a validator=b',
    },
    'a nonce of 31 bytes': { ...enrolment, nonce: 'ab'.repeat(31) },
    'an operator key of small order': { ...enrolment, operator: `01${'00'.repeat(31)}` },
  };
  for (const [flaw, it_] of Object.entries(flaws)) {
    it(`is never written with ${flaw}`, () => {
      refused('statement_invalid', () => encodeEnrolment(it_ as Enrolment));
    });
  }

  it('is refused when it is about another key than it names', () => {
    const text = utf8Decode(encodeEnrolment(enrolment));
    const eve = signerNamed('eve').publicKey;
    const swapped = utf8Encode(
      text.replace(`"operator":"${operator.publicKey}"`, `"operator":"${eve}"`),
    );
    assert.notDeepEqual(swapped, utf8Encode(text));
    refused('statement_invalid', () => parseEnrolment(swapped));
  });
});
