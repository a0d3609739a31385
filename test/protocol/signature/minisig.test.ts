import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { signerFromSeed, verifyEd25519 } from '../../../platform/ed25519.ts';
import { concatBytes, fromBase64, toBase64, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { verifyWithNoble } from '../../../protocol/signature/ed25519.ts';
import { minisignKey, signMinisig, verifyMinisig } from '../../../protocol/signature/minisig.ts';

const signer = signerFromSeed(new Uint8Array(32).fill(5));
const other = signerFromSeed(new Uint8Array(32).fill(6));
const BYTES = utf8Encode('hello\n');
const COMMENT = 'SHA256SUMS of SDX-2026-7KQ4, revision 1';

const check = (text: string, bytes = BYTES, key = signer.publicKey): string =>
  verifyMinisig(bytes, text, key, verifyEd25519);

describe('minisig', () => {
  it('has the bytes that minisign 0.11 accepts, and gives back the trusted comment', () => {
    const text = signMinisig(BYTES, 'sealdrop SDX', signer);
    assert.deepEqual(text.split('\n'), [
      'untrusted comment: signature by an officer',
      'RUR1mXdsMIXj+eGlWKwrERMiLFm31tGsmp8yrgsv1Q3JP11nbqV60fT2DwWRFCXPa+JE32Q6WXw0hH7wUkDnip11Q1yj5ciXDAY=',
      'trusted comment: sealdrop SDX',
      'jN4do4mGzWgd6yHceZm9/CVeasRfzrFVdzD7esLEkBxKgrvdryZL5fyQzeY2tRSLGZQDYKt0C1WNFeePGCyWCg==',
      '',
    ]);
    assert.equal(check(text), 'sealdrop SDX');
    assert.equal(verifyMinisig(BYTES, text, signer.publicKey, verifyWithNoble), 'sealdrop SDX');
  });

  it('refuses other bytes and another key', () => {
    const text = signMinisig(BYTES, COMMENT, signer);
    assert.equal(check(text), COMMENT);
    const refused = { code: 'signature_invalid' };
    assert.throws(() => check(text, utf8Encode('hello')), refused);
    assert.throws(() => check(text, BYTES, other.publicKey), refused);
  });

  it('refuses a text with any one character changed, missing or added', () => {
    const text = signMinisig(BYTES, COMMENT, signer);
    for (let at = 0; at <= text.length; at++) {
      const [before, after] = [text.slice(0, at), text.slice(at + 1)];
      const swapped = text[at] === 'A' ? 'B' : 'A';
      for (const changed of [
        before + swapped + after,
        before + after,
        `${text.slice(0, at)} ${text.slice(at)}`,
      ]) {
        if (changed !== text) assert.throws(() => check(changed), /./, JSON.stringify(changed));
      }
    }
    assert.throws(() => check(text.replaceAll('\n', '\r\n')), { code: 'signature_invalid' });
    assert.throws(() => check('x'.repeat(1025)), { code: 'too_large' });
  });

  it('refuses a legacy signature over the raw bytes, which minisign would take', () => {
    const [untrusted = '', first = ''] = signMinisig(BYTES, COMMENT, signer).split('\n');
    const number = fromBase64(first).subarray(2, 10);
    const signature = signer.sign(BYTES);
    const global = signer.sign(concatBytes(signature, utf8Encode(COMMENT)));
    const legacy = (algorithm: string): string =>
      [
        untrusted,
        toBase64(concatBytes(utf8Encode(algorithm), number, signature)),
        `trusted comment: ${COMMENT}`,
        toBase64(global),
        '',
      ].join('\n');
    for (const algorithm of ['Ed', 'ED']) {
      assert.throws(() => check(legacy(algorithm)), { code: 'signature_invalid' }, algorithm);
    }
  });

  it('refuses to sign a comment of several lines or without text', () => {
    for (const comment of ['', ' a', 'a ', 'a\nb', 'a\r', 'é', 'a'.repeat(201)]) {
      const sign = (): string => signMinisig(BYTES, comment, signer);
      assert.throws(sign, { code: 'encoding_invalid' }, JSON.stringify(comment));
    }
  });

  it('writes a public key as minisign does: algorithm, key number, key', () => {
    assert.equal(
      minisignKey(signer.publicKey),
      'untrusted comment: public key of an officer\n' +
        'RWR1mXdsMIXj+W56HN0psLeP0Tr0xVmP7/TvKpcWbjym8uT7/M2AUFvx\n',
    );
  });
});
