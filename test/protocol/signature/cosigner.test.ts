import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { signerFromSeed, verifyEd25519 } from '../../../platform/ed25519.ts';
import { concatBytes, fromBase64, fromHex, toBase64 } from '../../../protocol/encoding/bytes.ts';
import { cosignatureMessage } from '../../../protocol/signature/cosigner.ts';
import { noteSigner, openNote, signNote } from '../../../protocol/signature/note.ts';
import {
  formatVerifierKey,
  NOTE_COSIGNATURE,
  parseVerifierKey,
} from '../../../protocol/signature/verifier-key.ts';
import { WITNESS_KEY, WITNESS_SEED } from './published-keys.ts';

// A checkpoint of another key, as the witness cosigned it.
const WITNESSED = 'example.org/log\n10\nHA5HAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n';
const WITNESS_BASE64 =
  'ys8uUAAAAAAAAATSftMzceM8zssdZ9jin9SjwIxzx9iADMf63VqirX2hafol9RsqNqbofIz0LVRqHXI2kpEBSki5RTXFtxz1vo9+Cg==';
const witness = parseVerifierKey(WITNESS_KEY);

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
