import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { signerFromSeed } from '../../../platform/ed25519.ts';
import { fromHex } from '../../../protocol/encoding/bytes.ts';
import { noteSigner } from '../../../protocol/signature/note.ts';
import {
  formatVerifierKey,
  NOTE_COSIGNATURE,
  NOTE_ED25519,
  parseVerifierKey,
} from '../../../protocol/signature/verifier-key.ts';
import { ENOCH_KEY, PETER_KEY, PETER_SEED, WITNESS_KEY } from './published-keys.ts';

const peter = parseVerifierKey(PETER_KEY);
const peterKey = signerFromSeed(fromHex(PETER_SEED, 32));
const witness = parseVerifierKey(WITNESS_KEY);

describe('verifier keys', () => {
  it('read the published ones and write them back', () => {
    for (const vkey of [
      PETER_KEY,
      ENOCH_KEY,
      WITNESS_KEY,
      'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
      'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8',
      'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx',
      'Wit1+55ee4561+AVhZSmQj9+SoL+p/nN0Hh76xXmF7QcHfytUrI1XfSClk',
      'Wit1+9b3fb2d5+BFhZSmQj9+SoL+p/nN0Hh76xXmF7QcHfytUrI1XfSClk',
    ]) {
      const { name, type, publicKey } = parseVerifierKey(vkey);
      assert.equal(formatVerifierKey(name, type, publicKey), vkey);
    }
    assert.equal(peter.name, 'PeterNeumann');
    assert.equal(peter.keyId, 0xc74f20a3);
    assert.equal(peter.type, NOTE_ED25519);
    assert.equal(
      peter.publicKey,
      '1a5cd907143c384c41e830c5bce12aa8817ec5649aaabf2c31388b35b2d744d6',
    );
    assert.equal(witness.type, NOTE_COSIGNATURE);
  });

  it('are refused with any one bit changed, and in any shorter form', () => {
    const bytes = Buffer.from(PETER_KEY, 'latin1');
    for (const index of bytes.keys()) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = Buffer.from(bytes);
        changed[index] = (changed[index] ?? 0) ^ (1 << bit);
        const vkey = changed.toString('latin1');
        assert.throws(() => parseVerifierKey(vkey), { code: 'key_invalid' }, vkey);
      }
      for (const vkey of [PETER_KEY.slice(0, index), PETER_KEY.slice(index + 1)]) {
        assert.throws(() => parseVerifierKey(vkey), { code: 'key_invalid' }, vkey);
      }
    }
  });

  it('are refused for a name with a space or a plus, and for a signature type nobody knows', () => {
    for (const name of ['', 'a b', 'a+b', 'a\u0085b', 'a\u00a0b', 'a\u2003b', 'a\nb', 'a\0b']) {
      assert.throws(() => noteSigner(name, peterKey), { code: 'key_invalid' });
      const vkey = formatVerifierKey(name, NOTE_ED25519, peter.publicKey);
      assert.throws(() => parseVerifierKey(vkey), { code: 'key_invalid' });
    }
    for (const vkey of [
      'PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==',
      'PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
      'PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
    ]) {
      assert.throws(() => parseVerifierKey(vkey), { code: 'key_invalid' });
    }
  });
});
