import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { generateSeed, signerFromSeed, verifyEd25519 } from '../../../platform/ed25519.ts';
import { toBase64, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { formatCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { inclusionProof, leafHash, rootOf } from '../../../protocol/log/merkle.ts';
import {
  formatTlogProof,
  MAX_TLOG_PROOF_LENGTH,
  parseTlogProof,
  verifyTlogProof,
} from '../../../protocol/log/tlog-proof.ts';
import type { TlogProof } from '../../../protocol/log/tlog-proof.ts';
import { cosigner } from '../../../protocol/signature/cosigner.ts';
import { noteSigner, signNote } from '../../../protocol/signature/note.ts';

const ORIGIN = 'sealdrop.example.org/log';
const signer = noteSigner(ORIGIN, signerFromSeed(new Uint8Array(32).fill(1)));
const leaves = Array.from({ length: 11 }, (_, i) => leafHash(utf8Encode(`leaf ${i}\n`)));
const text = formatCheckpoint({ origin: ORIGIN, size: leaves.length, root: rootOf(leaves) });
const checkpoint = signNote(text, signer);
const proofOf = (index: number): TlogProof => ({
  index,
  hashes: inclusionProof(index, leaves),
  checkpoint,
});
const hashAt = (index: number): Uint8Array => leaves[index] ?? new Uint8Array();
const verify = (proof: TlogProof, index: number, verifiers = [signer]): unknown =>
  verifyTlogProof(proof, hashAt(index), ORIGIN, verifiers, verifyEd25519);

describe('a .tlog-proof file', () => {
  it('is written as C2SP tlog-proof says', () => {
    const proof = { ...proofOf(10), extra: utf8Encode('age-v1.2.1') };
    const [a, b] = proof.hashes.map(toBase64);
    assert.equal(
      formatTlogProof(proof),
      `c2sp.org/tlog-proof@v1\nextra YWdlLXYxLjIuMQ==\nindex 10\n${a ?? ''}\n${b ?? ''}\n\n${checkpoint}`,
    );
    assert.ok(formatTlogProof(proofOf(0)).startsWith('c2sp.org/tlog-proof@v1\nindex 0\n'));
  });

  it('proves each leaf under its own index only (property)', () => {
    const index = fc.integer({ min: 0, max: leaves.length - 1 });
    fc.assert(
      fc.property(index, index, (at, claimed) => {
        const proof = parseTlogProof(formatTlogProof(proofOf(at)));
        assert.deepEqual(proof, proofOf(at));
        if (at === claimed) verify(proof, claimed);
        else assert.throws(() => verify(proof, claimed), { code: 'proof_invalid' });
      }),
    );
  });

  it('needs no hashes for a log of one leaf', () => {
    const root = rootOf(leaves.slice(0, 1));
    const note = signNote(formatCheckpoint({ origin: ORIGIN, size: 1, root }), signer);
    const proof = parseTlogProof(formatTlogProof({ index: 0, hashes: [], checkpoint: note }));
    verify(proof, 0);
  });

  it('carries cosignatures, which have to verify once their witness is known', () => {
    const witness = cosigner('witness.example/w', signerFromSeed(generateSeed()));
    const cosigned = `${checkpoint}${witness.cosign(text, 1_790_000_000)}`;
    verify({ ...proofOf(3), checkpoint: cosigned }, 3, [signer, witness as never]);
    const forged = `${checkpoint}${witness.cosign(`${text}x\n`, 1_790_000_000)}`;
    verify({ ...proofOf(3), checkpoint: forged }, 3);
    assert.throws(
      () => verify({ ...proofOf(3), checkpoint: forged }, 3, [signer, witness as never]),
      {
        code: 'signature_invalid',
      },
    );
  });

  it('is refused under another key, another origin, another tree', () => {
    const stranger = noteSigner(ORIGIN, signerFromSeed(generateSeed()));
    assert.throws(() => verify(proofOf(3), 3, [stranger]), { code: 'signature_invalid' });
    assert.throws(
      () => verifyTlogProof(proofOf(3), hashAt(3), 'other.example/log', [signer], verifyEd25519),
      { code: 'checkpoint_invalid' },
    );
    const root = rootOf(leaves.toReversed());
    const other = signNote(formatCheckpoint({ origin: ORIGIN, size: leaves.length, root }), signer);
    assert.throws(() => verify({ ...proofOf(3), checkpoint: other }, 3), { code: 'proof_invalid' });
  });

  it('has one spelling', () => {
    const good = formatTlogProof(proofOf(5));
    parseTlogProof(good);
    const [first = ''] = proofOf(5).hashes.map(toBase64);
    const changes: readonly (readonly [string, string])[] = [
      ['@v1', '@v2'],
      ['index 5', 'index 05'],
      ['index 5', 'index -5'],
      ['index 5', 'index 5 '],
      ['index 5', 'index 9007199254740992'],
      ['index 5', 'extra \nindex 5'],
      ['index 5', 'extra AAF=\nindex 5'],
      ['index 5', 'index 5\nextra AAE='],
      [first, first.slice(0, -2) + '='],
      [first, `${first} `],
      [first, 'AAE='],
      [first, `${first.slice(0, 42)}B=`],
      [`\n\n${ORIGIN}`, `\n${ORIGIN}`],
      ['c2sp', '\nc2sp'],
      ['c2sp', '\uFEFFc2sp'],
    ];
    for (const [from, to] of changes) {
      assert.ok(good.includes(from));
      assert.throws(() => parseTlogProof(good.replace(from, to)), { code: 'proof_invalid' }, to);
    }
    assert.throws(() => parseTlogProof(good.replaceAll('\n', '\r\n')), { code: 'proof_invalid' });
    assert.throws(() => parseTlogProof(good + ' '.repeat(MAX_TLOG_PROOF_LENGTH)), {
      code: 'too_large',
    });
  });
});
