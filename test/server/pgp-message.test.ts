import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';

import fc from 'fast-check';
import * as openpgp from 'openpgp';

import { signAndEncrypt } from '../../protocol/contact/message.ts';
import { utf8Encode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { requireEncryptedMessage } from '../../server/services/contact/pgp-message.ts';
import type { TestOfficer } from '../support/officers.ts';
import { makeOfficers } from '../support/officers.ts';

const LIMIT = 1_000_000;

describe('an OpenPGP message for the outbox', () => {
  let officer: TestOfficer;
  let encrypted: string;
  before(async () => {
    const [only] = await makeOfficers(1);
    assert.ok(only);
    officer = only;
    encrypted = await signAndEncrypt(
      utf8Encode('hello '.repeat(50_000)),
      { signing: officer.openpgp.privateKey, recipient: officer.openpgp.publicKey },
      new Date('2026-11-20T12:00:00Z'),
    );
  });

  const armor = (...packets: number[][]): string =>
    [
      '-----BEGIN PGP MESSAGE-----',
      '',
      Buffer.from(packets.flat()).toString('base64'),
      '-----END PGP MESSAGE-----',
    ].join('\n');
  const SESSION = [0xc1, 2, 3, 0];
  const DATA = [0xd2, 2, 1, 0];

  it('is accepted when it is encrypted to keys, in old and new packet formats', () => {
    assert.equal(requireEncryptedMessage(encrypted, LIMIT), encrypted.trim());
    requireEncryptedMessage(armor(SESSION, DATA), LIMIT);
    requireEncryptedMessage(armor(SESSION, SESSION, DATA), LIMIT);
    requireEncryptedMessage(armor([0x84, 2, 3, 0], DATA), LIMIT);
    requireEncryptedMessage(armor([0x85, 0, 2, 3, 0], DATA), LIMIT);
    requireEncryptedMessage(armor(SESSION, [0xd2, 0xe1, 1, 2, 1, 9]), LIMIT);
  });

  it('is refused when anything of it could be read by anybody', async () => {
    const { privateKey } = officer.openpgp;
    const message = await openpgp.createMessage({ text: 'the bug is in bank.rs' });
    const signingKeys = await openpgp.readPrivateKey({ armoredKey: privateKey });
    const signed = String(await openpgp.sign({ message, signingKeys }));
    const withPassword = String(await openpgp.encrypt({ message, passwords: ['guess me'] }));
    const literal = [0xcb, 3, 0x62, 0, 0x68];
    const refused: Record<string, string> = {
      signed,
      'encrypted with a password': withPassword,
      literal: armor(literal),
      'literal behind the data': armor(SESSION, DATA, literal),
      'literal before the data': armor(SESSION, literal, DATA),
      marker: armor([0xca, 3, 0x50, 0x47, 0x50], SESSION, DATA),
      'without session key': armor(DATA),
      'data twice': armor(SESSION, DATA, DATA),
      'without integrity protection': armor(SESSION, [0xc9, 2, 1, 0]),
      nothing: armor([]),
      'cut off': armor(SESSION, [0xd2, 200, 1, 1]),
      'no packet': armor([0x41, 0x41]),
      'an armour header': encrypted.replace('\n\n', '\nComment: the bug is in bank.rs\n\n'),
    };
    for (const [name, text] of Object.entries(refused)) {
      assert.throws(() => requireEncryptedMessage(text, LIMIT), { code: 'message_invalid' }, name);
    }
    assert.throws(() => requireEncryptedMessage(encrypted, 1000), { code: 'too_large' });
  });

  it('never fails in any other way, whatever the bytes (property)', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          requireEncryptedMessage(armor([...bytes]), LIMIT);
        } catch (error) {
          assert.ok(error instanceof ProtocolError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
