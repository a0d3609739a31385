import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verifyEd25519 } from '../../../platform/ed25519.ts';
import {
  findOfficerSignatures,
  isOfficerSignature,
  officerKeysBeside,
  officerSignatureFiles,
  signSums,
  verifySums,
  type OfficerSignatures,
  type SumsSignatures,
} from '../../../protocol/embargo/sums-signatures.ts';
import {
  concatBytes,
  fromBase64,
  toBase64,
  utf8Decode,
  utf8Encode,
} from '../../../protocol/encoding/bytes.ts';
import { signEnvelope } from '../../../protocol/signature/dsse.ts';
import type { Signer } from '../../../protocol/signature/ed25519.ts';
import { minisignKey } from '../../../protocol/signature/minisig.ts';
import { signTuf } from '../../../protocol/trust/metadata.ts';
import { buildTargets } from '../../../protocol/trust/tuf.ts';
import { rootOf, signerNamed } from '../trust/network.ts';

const SUMS = utf8Encode(`${'a'.repeat(64)}  agave.patch\n`);
const SUBJECT = { campaign: 'SDX-2026-7KQ4', revision: 1 };
const root = rootOf();

const pairOf = (officer: string, sums = SUMS, subject = SUBJECT): OfficerSignatures =>
  signSums(sums, subject, signerNamed(`${officer} signing`));
const check = (signatures: SumsSignatures): readonly string[] =>
  verifySums(SUMS, signatures, SUBJECT, root, verifyEd25519);

describe('officers’ signatures over SHA256SUMS', () => {
  it('name the people who signed', () => {
    assert.deepEqual(check(new Map()), []);
    const both = new Map([
      ['bo', pairOf('bo')],
      ['ada', pairOf('ada')],
    ]);
    assert.deepEqual(check(both), ['ada', 'bo']);
  });

  it('are refused all together when one is by another or over something else', () => {
    const ada = pairOf('ada');
    const flaws: readonly (readonly [string, OfficerSignatures])[] = [
      ['bo', ada],
      ['eve', pairOf('eve')],
      ['bo', { ...pairOf('bo'), minisig: ada.minisig }],
      ['bo', { ...pairOf('bo'), sshsig: ada.sshsig }],
      ['bo', pairOf('bo', utf8Encode('other\n'))],
      ['bo', pairOf('bo', SUMS, { ...SUBJECT, campaign: 'SDX-2026-0000' })],
      ['bo', pairOf('bo', SUMS, { ...SUBJECT, revision: 2 })],
      // By bo's root key, which signs roots and nothing else.
      ['bo', signSums(SUMS, SUBJECT, signerNamed('bo root'))],
    ];
    for (const [officer, pair] of flaws) {
      const signatures = new Map([
        ['ada', ada],
        [officer, pair],
      ]);
      assert.throws(() => check(signatures), { code: 'signature_invalid' });
    }
  });

  it('are files by name, and back', () => {
    const signatures = new Map([
      ['ada', pairOf('ada')],
      ['bo', pairOf('bo')],
    ]);
    const files = officerSignatureFiles(signatures);
    assert.ok([...files.keys()].every(isOfficerSignature));
    const others = new Map([...files, ['release.txt', SUMS], ['SHA256SUMS.asc', SUMS]]);
    assert.deepEqual(findOfficerSignatures(others), signatures);
    for (const name of files.keys()) {
      const half = new Map([...files].filter(([it]) => it !== name));
      assert.throws(() => findOfficerSignatures(half), { code: 'bundle_invalid' }, name);
    }
  });

  it('come with the keys of the root, as the tools read them', () => {
    const files = officerKeysBeside(root);
    const names = ['ada', 'bo', 'cy'].map((id) => `SHA256SUMS.${id}.pub`);
    assert.deepEqual([...files.keys()], ['SHA256SUMS.allowed_signers', ...names]);
    const [allowed, ada] = [...files.values()].map(utf8Decode);
    assert.equal(ada, minisignKey(signerNamed('ada signing').publicKey));
    assert.deepEqual(
      allowed?.split('\n').map((line) => line.split(' ').slice(0, 3).join(' ')),
      ['ada', 'bo', 'cy'].map((id) => `${id} namespaces="sealdrop" ssh-ed25519`).concat(''),
    );
  });
});

describe('the one signing key of an officer', () => {
  const key = signerNamed('ada signing');
  const signed: { kind: string; message: Uint8Array; signature: Uint8Array }[] = [];
  const recording = (kind: string): Signer => ({
    publicKey: key.publicKey,
    sign(message) {
      const signature = key.sign(message);
      signed.push({ kind, message: Uint8Array.from(message), signature });
      return signature;
    },
  });
  signEnvelope(utf8Encode('{"_type":"https://in-toto.io/Statement/v1"}'), recording('DSSE'));
  const targets = buildTargets({ version: 1, expires: '2027-11-16T00:00:00Z', bundles: [] });
  signTuf(targets, recording('TUF'));
  recording('JWS').sign(utf8Encode('eyJhbGciOiJFZERTQSIsInR5cCI6ImRwb3Arand0In0.eyJqdGkiOiIxIn0'));
  signSums(SUMS, SUBJECT, recording('by hand'));

  it('signs messages that begin in ways of their own', () => {
    const starts: Record<string, RegExp> = {
      DSSE: /^DSSEv1 28 application\/vnd\.in-toto\+json \d+ \{/,
      TUF: /^\{"_type":"targets"/,
      JWS: /^eyJ[A-Za-z0-9_-]+\.eyJ/,
      SSHSIG: /^SSHSIG\0\0\0\u0008sealdrop\0\0\0\0\0\0\0\u0006sha512\0\0\0@/,
    };
    const kinds = signed.map(({ kind, message }) => {
      const text = Buffer.from(message).toString('latin1');
      const matching = Object.keys(starts).filter((it) => starts[it]?.test(text));
      assert.ok(matching.length <= 1);
      // A digest of 64 bytes, or a signature and words: neither begins like the others.
      return matching[0] ?? `${kind}, ${message.length === 64 ? 'digest' : 'comment'}`;
    });
    assert.deepEqual(kinds, [
      'DSSE',
      'TUF',
      'JWS',
      'by hand, digest',
      'by hand, comment',
      'SSHSIG',
    ]);
  });

  it('makes no signature that passes in another place than its own', () => {
    const pair = pairOf('ada');
    const minisig = utf8Decode(pair.minisig).split('\n');
    const before = fromBase64(minisig[1] ?? '').subarray(0, 10);
    const armour = utf8Decode(pair.sshsig).split('\n');
    const blob = fromBase64(armour.slice(1, -2).join('')).subarray(0, -64);
    const places: readonly ((signature: Uint8Array) => OfficerSignatures)[] = [
      (it) => ({ ...pair, minisig: joined(minisig.with(1, toBase64(concatBytes(before, it)))) }),
      (it) => ({ ...pair, minisig: joined(minisig.with(3, toBase64(it))) }),
      (it) => {
        const lines = toBase64(concatBytes(blob, it)).match(/.{1,70}/g) ?? [];
        return { ...pair, sshsig: joined([armour[0], ...lines, ...armour.slice(-2)]) };
      },
    ];
    const accepted = places.map((place) =>
      signed.flatMap(({ signature }, index) => {
        try {
          return check(new Map([['ada', place(signature)]])).map(() => index);
        } catch {
          return [];
        }
      }),
    );
    assert.deepEqual(accepted, [[3], [4], [5]]);
  });
});

const joined = (lines: readonly (string | undefined)[]): Uint8Array => utf8Encode(lines.join('\n'));
