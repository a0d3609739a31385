import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { signAndEncrypt } from '../../protocol/contact/message.ts';
import { utf8Encode } from '../../protocol/encoding/bytes.ts';
import { DAY_MS, meet, type People } from '../protocol/contact/people.ts';
import { NOW } from './support/openpgp.ts';
import { missing, openWorkshop, type Workshop } from './support/tools.ts';

/** Version 1 has other options. */
function missingOld(): string | false {
  const absent = missing('sq');
  if (absent !== false) return absent;
  const { stdout } = spawnSync('sq', ['--version']);
  return !stdout.toString().startsWith('sq 0.') && 'SKIPPED: sq 0.x is not here';
}

describe('sq', { skip: missingOld() }, () => {
  let shop: Workshop;
  let people: People;

  before(async () => {
    shop = openWorkshop();
    people = await meet(new Date(NOW.getTime() - DAY_MS));
  });

  after(() => {
    shop.remove();
  });

  it('decrypts and verifies a mail of ours', async () => {
    const { alice, operator } = people;
    const keys = { signing: alice.privateKey, recipient: operator.publicKey };
    const armored = await signAndEncrypt(utf8Encode('hello\n'), keys, NOW);
    const parameters = [
      'decrypt',
      '--recipient-key',
      shop.write('operator.asc', operator.privateKey),
      '--signer-cert',
      shop.write('alice.asc', alice.publicKey),
      shop.write('sq.asc', armored),
    ];
    const { status, stdout, text } = shop.run('sq', parameters);
    assert.equal(status, 0, text);
    assert.equal(stdout.toString(), 'hello\n');
  });
});
