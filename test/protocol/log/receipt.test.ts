import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { signerFromSeed, verifyEd25519 } from '../../../platform/ed25519.ts';
import { fromBase64, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { formatCheckpoint, openCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { leafHash } from '../../../protocol/log/merkle.ts';
import { openReceipt, signReceipt } from '../../../protocol/log/receipt.ts';
import type { Receipt } from '../../../protocol/log/receipt.ts';
import { noteSigner, signNote } from '../../../protocol/signature/note.ts';
import { parseVerifierKey } from '../../../protocol/signature/verifier-key.ts';
import { readVectors } from '../../support/vectors.ts';
import type { Vector } from '../../support/vectors.ts';

interface Signed extends Vector {
  readonly note: string;
  readonly origin: string;
  readonly vkeys: readonly string[];
}
type Valid = Signed & { readonly leafHash: string; readonly at: string };
type Invalid = Signed & { readonly code: string };

const ORIGIN = 'sealdrop.example.org/log';
const signer = noteSigner(ORIGIN, signerFromSeed(new Uint8Array(32).fill(1)));
const receipt: Receipt = {
  origin: ORIGIN,
  leafHash: leafHash(utf8Encode('opened/v1 0\n')),
  at: Date.parse('2026-11-20T14:00:00.123Z'),
};
const open = (note: string): Receipt => openReceipt(note, ORIGIN, [signer], verifyEd25519);

describe('receipts', () => {
  it('open to what was signed', () => {
    const note = signReceipt(receipt, signer);
    assert.deepEqual(open(note), receipt);
    assert.match(
      note,
      /^sealdrop-receipt\/v1\nsealdrop\.example\.org\/log\n\S{44}\n2026-11-20T14:00:00\.123Z\n\n/,
    );
  });

  for (const { name, note, origin, vkeys, leafHash, at } of readVectors(
    'receipt',
    'valid',
  ) as Valid[]) {
    it(`are written and read: ${name}`, () => {
      const keys = vkeys.map(parseVerifierKey);
      assert.deepEqual(openReceipt(note, origin, keys, verifyEd25519), {
        origin,
        leafHash: fromBase64(leafHash),
        at: Date.parse(at),
      });
    });
  }

  for (const { name, note, origin, vkeys, code } of readVectors(
    'receipt',
    'invalid',
  ) as Invalid[]) {
    it(`are refused: ${name}`, () => {
      const keys = vkeys.map(parseVerifierKey);
      assert.throws(() => openReceipt(note, origin, keys, verifyEd25519), { code });
    });
  }

  it('are refused when signed by anybody else', () => {
    const other = noteSigner(ORIGIN, signerFromSeed(new Uint8Array(32).fill(2)));
    assert.throws(() => open(signReceipt(receipt, other)), { code: 'signature_invalid' });
  });

  it('do not pass as checkpoints, nor checkpoints as receipts', () => {
    const checkpoint = { origin: ORIGIN, size: 1, root: receipt.leafHash };
    const note = signNote(formatCheckpoint(checkpoint), signer);
    assert.throws(() => open(note), { code: 'note_invalid' });
    for (const origin of [ORIGIN, 'sealdrop-receipt/v1']) {
      assert.throws(
        () => openCheckpoint(signReceipt(receipt, signer), origin, [signer], verifyEd25519),
        { code: 'checkpoint_invalid' },
      );
    }
  });
});
