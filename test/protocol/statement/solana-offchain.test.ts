import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { fromBase58, sha256, toBase58, toHex } from '../../../protocol/encoding/bytes.ts';
import { identityKey } from '../../../protocol/stake/identity.ts';
import { legacyOffchainMessage } from '../../../protocol/statement/solana-offchain.ts';
import { readVectors, type Vector } from '../../support/vectors.ts';

interface MessageVector extends Vector {
  readonly text: string;
  readonly bytes?: string;
  readonly signer?: string;
  readonly signature?: string;
  readonly code?: string;
}

interface Fixture {
  readonly message_text: string;
  readonly rust_crate_vectors: readonly {
    readonly text: string;
    readonly bytes_hex: string;
    readonly sha256_base58: string;
  }[];
  readonly computed: readonly {
    readonly name: string;
    readonly bytes_hex: string;
    readonly signatures: readonly { readonly signer: string; readonly signature_base58: string }[];
  }[];
}

const FIXTURE = new URL(
  '../../../../shared/fixtures/solana/offchain-message-vectors.json',
  import.meta.url,
);

describe('legacyOffchainMessage', () => {
  for (const vector of readVectors('offchain-message', 'valid') as MessageVector[]) {
    it(`gives the bytes that the Solana CLI signs: ${vector.name}`, () => {
      const bytes = legacyOffchainMessage(vector.text);
      assert.equal(toHex(bytes), vector.bytes);
      if (vector.signer === undefined || vector.signature === undefined) return;
      const signature = fromBase58(vector.signature, 64);
      assert.equal(verifyEd25519(identityKey(vector.signer), bytes, signature), true);
      assert.equal(verifyEd25519(identityKey(vector.signer), bytes.subarray(1), signature), false);
    });
  }

  for (const { name, text, code } of readVectors(
    'offchain-message',
    'invalid',
  ) as MessageVector[]) {
    it(`refuses ${name}`, () => {
      assert.throws(() => legacyOffchainMessage(text), { code });
    });
  }

  it('agrees with every legacy vector of the fixtures', (t) => {
    if (!existsSync(FIXTURE)) {
      t.skip('../shared/fixtures/solana/offchain-message-vectors.json is not here');
      return;
    }
    const fixture = JSON.parse(readFileSync(FIXTURE, 'utf8')) as Fixture;
    for (const { text, bytes_hex, sha256_base58 } of fixture.rust_crate_vectors) {
      const bytes = legacyOffchainMessage(text);
      assert.equal(toHex(bytes), bytes_hex);
      assert.equal(toBase58(sha256(bytes)), sha256_base58);
    }
    const message = legacyOffchainMessage(fixture.message_text);
    for (const { name, bytes_hex, signatures } of fixture.computed) {
      const isLegacy = name.startsWith('cli_v0');
      assert.equal(toHex(message) === bytes_hex, isLegacy, name);
      for (const { signer, signature_base58 } of signatures) {
        const signature = fromBase58(signature_base58, 64);
        // A signature in another layout, by the right key, is none in this one.
        assert.equal(verifyEd25519(identityKey(signer), message, signature), isLegacy, name);
      }
    }
  });

  it('changes its format byte with the first byte outside printable ASCII', () => {
    const format = (text: string): number | undefined => legacyOffchainMessage(text)[17];
    assert.equal(format(' ~'), 0);
    for (const text of ['a\n', 'a\u007f', 'é', '\t']) assert.equal(format(text), 1);
  });

  it('writes the length little-endian, in bytes of UTF-8', () => {
    const bytes = legacyOffchainMessage('é'.repeat(300));
    assert.deepEqual([...bytes.subarray(18, 20)], [600 & 0xff, 600 >> 8]);
  });
});
