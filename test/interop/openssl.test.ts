import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fromHex, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { openNote } from '../../protocol/signature/note.ts';
import { verifyEd25519 } from '../../platform/ed25519.ts';
import { LOG_SIGNER, writeLog } from './support/log.ts';
import { missing, openWorkshop, type Outcome, type Workshop } from './support/tools.ts';

/** DER up to the 32 raw bytes of an Ed25519 key (RFC 8410 §4). */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

describe('openssl pkeyutl', { skip: missing('openssl') }, () => {
  let shop: Workshop;
  let note = '';

  before(async () => {
    shop = openWorkshop();
    note = (await writeLog(join(shop.path, 'log'), [3])).checkpoints.get(3) ?? '';
  });

  after(() => {
    shop.remove();
  });

  const verify = (text: string, publicKey: string): Outcome => {
    const line = note.split('\n').at(-2) ?? '';
    const signature = Buffer.from(line.split(' ')[2] ?? '', 'base64').subarray(4);
    const key = Buffer.concat([SPKI, fromHex(publicKey, 32)]);
    return shop.run('openssl', [
      ...['pkeyutl', '-verify', '-pubin', '-keyform', 'DER', '-rawin'],
      ...['-inkey', shop.write('key.der', key)],
      ...['-in', shop.write('text', utf8Encode(text))],
      ...['-sigfile', shop.write('signature', signature)],
    ]);
  };

  it('verifies a checkpoint of ours, and no other text or key', () => {
    const { text } = openNote(note, [LOG_SIGNER], verifyEd25519);
    const good = verify(text, LOG_SIGNER.publicKey);
    assert.match(good.text, /Signature Verified Successfully/);
    const other = 'ff'.repeat(31) + '00';
    for (const bad of [
      verify(text.replace('\n3\n', '\n4\n'), LOG_SIGNER.publicKey),
      verify(text, other),
      verify(text.trimEnd(), LOG_SIGNER.publicKey),
    ]) {
      assert.notEqual(bad.status, 0);
      assert.doesNotMatch(bad.text, /Verified Successfully/);
    }
  });
});
