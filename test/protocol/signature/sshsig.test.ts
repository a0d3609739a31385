import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { signerFromSeed, verifyEd25519 } from '../../../platform/ed25519.ts';
import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { verifyWithNoble } from '../../../protocol/signature/ed25519.ts';
import { allowedSigner, signSshsig, verifySshsig } from '../../../protocol/signature/sshsig.ts';

const signer = signerFromSeed(new Uint8Array(32).fill(5));
const other = signerFromSeed(new Uint8Array(32).fill(6));
const BYTES = utf8Encode('hello\n');

const check = (text: string, bytes = BYTES, namespace = 'sealdrop', key = signer.publicKey) =>
  verifySshsig(bytes, text, namespace, key, verifyEd25519);

describe('sshsig', () => {
  it('has the bytes that ssh-keygen 9.2 accepts, and gives back the key', () => {
    const text = signSshsig(BYTES, 'sealdrop', signer);
    assert.equal(
      text,
      `-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgbnoc3Smwt4/ROvTFWY/v9O8qlx
ZuPKby5Pv8zYBQW/EAAAAIc2VhbGRyb3AAAAAAAAAABnNoYTUxMgAAAFMAAAALc3NoLWVk
MjU1MTkAAABAhbqi44J/o/VJdnHl/Xrp3g1VLRgtNboewdPTIp5P/J6qveMvZjaFz+pYDn
qKoUN0F2m7R8CPX04YJ4MIbxd6Aw==
-----END SSH SIGNATURE-----
`,
    );
    assert.equal(check(text), signer.publicKey);
    const again = verifySshsig(BYTES, text, 'sealdrop', signer.publicKey, verifyWithNoble);
    assert.equal(again, signer.publicKey);
  });

  it('refuses other bytes, another purpose and another key', () => {
    const text = signSshsig(BYTES, 'sealdrop', signer);
    const refused = { code: 'signature_invalid' };
    assert.throws(() => check(text, utf8Encode('hello')), refused);
    assert.throws(() => check(text, BYTES, 'file'), refused);
    assert.throws(() => check(text, BYTES, 'sealdrop', other.publicKey), refused);
    // Signed for another purpose and relabelled.
    const asFile = signSshsig(BYTES, 'SEALDROP', signer);
    const relabelled = asFile.replace(
      Buffer.from('SEALDROP').toString('base64').slice(0, 8),
      Buffer.from('sealdrop').toString('base64').slice(0, 8),
    );
    assert.throws(() => check(relabelled), refused);
  });

  it('refuses a text with any one character changed, missing or added', () => {
    const text = signSshsig(BYTES, 'sealdrop', signer);
    for (let at = 0; at <= text.length; at++) {
      const [before, after] = [text.slice(0, at), text.slice(at + 1)];
      const swapped = text[at] === 'A' ? 'B' : 'A';
      for (const changed of [
        before + swapped + after,
        before + after,
        `${text.slice(0, at)}\n${text.slice(at)}`,
      ]) {
        if (changed !== text) assert.throws(() => check(changed), /./, JSON.stringify(changed));
      }
    }
    assert.throws(() => check('x'.repeat(1025)), { code: 'too_large' });
  });

  it('writes a line of allowed_signers for one purpose only', () => {
    assert.equal(
      allowedSigner('ada', 'sealdrop', signer.publicKey),
      'ada namespaces="sealdrop" ssh-ed25519 ' +
        'AAAAC3NzaC1lZDI1NTE5AAAAIG56HN0psLeP0Tr0xVmP7/TvKpcWbjym8uT7/M2AUFvx\n',
    );
  });
});
