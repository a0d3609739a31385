import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { signerFromSeed, verifyEd25519 } from '../../../platform/ed25519.ts';
import { fromHex } from '../../../protocol/encoding/bytes.ts';
import { verifyWithNoble } from '../../../protocol/signature/ed25519.ts';
import { noteSigner, openNote, signNote } from '../../../protocol/signature/note.ts';
import { parseVerifierKey } from '../../../protocol/signature/verifier-key.ts';
import { readVectors } from '../../support/vectors.ts';
import type { Vector } from '../../support/vectors.ts';
import { ENOCH_KEY, PETER_KEY, PETER_SEED } from './published-keys.ts';

const PETER_TEXT =
  'If you think cryptography is the answer to your problem,\n' +
  "then you don't know what your problem is.\n";
const PETER_LINE =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const ENOCH_LINE =
  '— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n';

const peter = parseVerifierKey(PETER_KEY);
const enoch = parseVerifierKey(ENOCH_KEY);
const peterSigner = noteSigner('PeterNeumann', signerFromSeed(fromHex(PETER_SEED, 32)));

type NoteVector = Vector & { readonly note: string; readonly vkeys: readonly string[] };
type ValidNote = NoteVector & {
  readonly text: string;
  readonly verified: readonly string[];
  readonly unknown: number;
};
type InvalidNote = NoteVector & { readonly code: string };

describe('signed notes', () => {
  it('sign and open the note of the Go implementation', () => {
    assert.equal(signNote(PETER_TEXT, peterSigner), `${PETER_TEXT}\n${PETER_LINE}`);
    for (const verify of [verifyEd25519, verifyWithNoble]) {
      assert.deepEqual(openNote(`${PETER_TEXT}\n${PETER_LINE}`, [peter], verify), {
        text: PETER_TEXT,
        verified: [peter],
        unknown: 0,
      });
    }
  });

  for (const vector of readVectors('note', 'valid') as ValidNote[]) {
    it(`open: ${vector.name}`, () => {
      const keys = vector.vkeys.map(parseVerifierKey);
      for (const verify of [verifyEd25519, verifyWithNoble]) {
        assert.deepEqual(openNote(vector.note, keys, verify), {
          text: vector.text,
          verified: vector.verified.map(parseVerifierKey),
          unknown: vector.unknown,
        });
      }
    });
  }

  for (const { name, note, vkeys, code } of readVectors('note', 'invalid') as InvalidNote[]) {
    it(`are refused: ${name}`, () => {
      const keys = vkeys.map(parseVerifierKey);
      for (const verify of [verifyEd25519, verifyWithNoble]) {
        assert.throws(() => openNote(note, keys, verify), { code });
      }
    });
  }

  it('are refused when it is not clear whose signature it is', () => {
    const note = `${PETER_TEXT}\n${PETER_LINE}${ENOCH_LINE}`;
    assert.throws(() => openNote(note, [peter, enoch, enoch], verifyEd25519), {
      code: 'signature_invalid',
    });
    assert.throws(() => openNote(note, [], verifyEd25519), { code: 'signature_invalid' });
  });

  it('are refused with a lone surrogate, and when longer than a million characters', () => {
    const signed = `${PETER_TEXT}\n${PETER_LINE}`;
    assert.throws(() => openNote(`\ud800${signed}`, [peter], verifyEd25519), {
      code: 'note_invalid',
    });
    assert.throws(() => openNote(`${'a'.repeat(1_000_000)}${signed}`, [peter], verifyEd25519), {
      code: 'too_large',
    });
  });

  it('are not made of a text that could not be opened', () => {
    for (const text of ['', 'abc', 'a\tb\n', 'a\r\n', '\ud800\n']) {
      assert.throws(() => signNote(text, peterSigner), { code: 'note_invalid' }, text);
    }
  });
});
