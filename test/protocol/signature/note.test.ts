import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { signerFromSeed, verifyEd25519 } from '../../../platform/ed25519.ts';
import { concatBytes, fromBase64, fromHex, toBase64 } from '../../../protocol/encoding/bytes.ts';
import { verifyWithNoble } from '../../../protocol/signature/ed25519.ts';
import {
  cosignatureMessage,
  formatVerifierKey,
  NOTE_COSIGNATURE,
  NOTE_ED25519,
  noteSigner,
  openNote,
  parseVerifierKey,
  signNote,
} from '../../../protocol/signature/note.ts';
import { readVectors } from '../../support/vectors.ts';
import type { Vector } from '../../support/vectors.ts';

// golang.org/x/mod sumdb/note
const PETER_SEED = '810a1402d5146c8d84f2443330f54080ebf98ee17d9c74f6252fc5d5c7283173';
const PETER_KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const PETER_TEXT =
  'If you think cryptography is the answer to your problem,\n' +
  "then you don't know what your problem is.\n";
const PETER_LINE =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const ENOCH_KEY = 'EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop';
const ENOCH_LINE =
  '— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n';

const peter = parseVerifierKey(PETER_KEY);
const enoch = parseVerifierKey(ENOCH_KEY);
const peterKey = signerFromSeed(fromHex(PETER_SEED, 32));
const peterSigner = noteSigner('PeterNeumann', peterKey);

// C2SP tlog-cosignature: a witness on a checkpoint of another key (sigsum-go pkg/checkpoint)
const WITNESS_SEED = `11${'00'.repeat(31)}`;
const WITNESS_KEY = 'example.org/witness+cacf2e50+BGbguFjkYqYJ5m/nE3DIFtiEb/ED1UmaIqf+w3/bxCSn';
const WITNESSED = 'example.org/log\n10\nHA5HAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n';
const WITNESS_BASE64 =
  'ys8uUAAAAAAAAATSftMzceM8zssdZ9jin9SjwIxzx9iADMf63VqirX2hafol9RsqNqbofIz0LVRqHXI2kpEBSki5RTXFtxz1vo9+Cg==';
const witness = parseVerifierKey(WITNESS_KEY);

type NoteVector = Vector & { readonly note: string; readonly vkeys: readonly string[] };
type ValidNote = NoteVector & {
  readonly text: string;
  readonly verified: readonly string[];
  readonly unknown: number;
};
type InvalidNote = NoteVector & { readonly code: string };

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

describe('cosignatures', () => {
  it('by the same raw key have another key id than notes, and neither passes as the other', () => {
    const name =
      'sigsum.org/v1/tree/e796172b92befd62d9dc67e41c2f5bc9d3100a3023b20b1ca40288dd1c679e69';
    const text = WITNESSED.replace('example.org/log', name);
    const signer = noteSigner(name, signerFromSeed(fromHex(WITNESS_SEED, 32)));
    const line =
      'gJ2ho0n8F8olcerUF1FFdv235A/5as/coWrpLrtE7ovMeP5whgwouYExowG/lTznxu6OUGjjt5yJQ6bXtTcf718MqAQ=';
    assert.equal(signNote(text, signer), `${text}\n— ${name} ${line}\n`);
    const asWitness = parseVerifierKey(formatVerifierKey(name, NOTE_COSIGNATURE, signer.publicKey));
    assert.notEqual(asWitness.keyId, signer.keyId);
    assert.throws(() => openNote(signNote(text, signer), [asWitness], verifyEd25519), {
      code: 'signature_invalid',
    });
  });

  it('are ignored under a wrong key id or name', () => {
    const note = `${WITNESSED}\n— example.org/witness ${WITNESS_BASE64}\n`;
    const wrongId = note.replace('ys8uUA', 'ys8uUQ');
    const wrongName = note.replace('— example.org/witness', '— example.org/other');
    for (const changed of [wrongId, wrongName]) {
      assert.notEqual(changed, note);
      assert.throws(() => openNote(changed, [witness], verifyEd25519), {
        message: 'note has no signature by a known key',
      });
    }
  });

  it('are refused with another time, a time beyond 2^63 - 1, or cut short', () => {
    const bytes = fromBase64(WITNESS_BASE64);
    const line = (bytes: Uint8Array): string =>
      `${WITNESSED}\n— example.org/witness ${toBase64(bytes)}\n`;
    const signer = signerFromSeed(fromHex(WITNESS_SEED, 32));
    const at = (time: bigint): Uint8Array => {
      const stated = new DataView(new ArrayBuffer(8));
      stated.setBigUint64(0, time);
      const signature = signer.sign(cosignatureMessage(WITNESSED, time));
      return concatBytes(bytes.subarray(0, 4), new Uint8Array(stated.buffer), signature);
    };
    assert.deepEqual(at(1234n), bytes);
    openNote(line(at(2n ** 63n - 1n)), [witness], verifyEd25519);
    const refused = [
      at(2n ** 63n),
      bytes.map((byte, i) => (i === 11 ? byte ^ 1 : byte)),
      bytes.subarray(0, 75),
      bytes.subarray(0, 12),
      bytes.subarray(0, 5),
    ];
    for (const changed of refused) {
      assert.throws(() => openNote(line(changed), [witness], verifyEd25519), {
        message: 'note signature of example.org/witness does not verify',
      });
    }
  });

  it('on the test log of Tessera verify under the cosignature key only', () => {
    const text = 'example.com/log/testdata\n3\nWqx3HImawpLnS/Gv4ubjAvi1WIOy0b8Ze0amvqbavKk=\n';
    const cosigned =
      `${text}\n— Wit1 ` +
      'mz+y1QAAAABkGFDLuA/qs4toUQd1DYJvf5+953bHolyMPEjtAW1Gw3cw3klXIvwfYEC4KmOr+qGIVtee6DsZAbOLzQHa//mZky0QBw==\n';
    const cosigner = parseVerifierKey('Wit1+9b3fb2d5+BFhZSmQj9+SoL+p/nN0Hh76xXmF7QcHfytUrI1XfSClk');
    assert.deepEqual(openNote(cosigned, [cosigner], verifyEd25519).verified, [cosigner]);
    const plain = parseVerifierKey('Wit1+55ee4561+AVhZSmQj9+SoL+p/nN0Hh76xXmF7QcHfytUrI1XfSClk');
    assert.throws(() => openNote(cosigned, [plain], verifyEd25519), { code: 'signature_invalid' });
  });
});
