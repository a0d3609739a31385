import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { buildMessage } from '../../cli/mail/message.ts';
import { readRecipientKey } from '../../protocol/contact/contact-key.ts';
import { decryptAndVerify } from '../../protocol/contact/message.ts';
import { utf8Encode } from '../../protocol/encoding/bytes.ts';
import { DAY_MS, meet, type People } from '../protocol/contact/people.ts';
import { NOW, twoSignatures } from './support/openpgp.ts';
import { missing, openWorkshop, type Outcome, type Workshop } from './support/tools.ts';

let shop: Workshop;
let people: People;
before(async () => {
  shop = openWorkshop();
  people = await meet(new Date(NOW.getTime() - DAY_MS));
});
after(() => {
  shop.remove();
});

describe('gpg', { skip: missing('gpg') }, () => {
  const gpg = (...parameters: string[]): Outcome =>
    shop.run('gpg', ['--batch', '--no-tty', '--trust-model', 'always', ...parameters]);

  before(() => {
    for (const { publicKey } of [people.alice, people.bob]) {
      const { status, text } = gpg('--import', shop.write('key.asc', publicKey));
      assert.equal(status, 0, text);
    }
    const { status, text } = gpg('--import', shop.write('key.asc', people.operator.privateKey));
    assert.equal(status, 0, text);
  });

  it('reads every signature of one merged block, and refuses other bytes', async () => {
    const { data, signature } = await twoSignatures(shop, people);
    const good = gpg('--status-fd', '1', '--verify', signature, data);
    assert.equal(good.status, 0, good.text);
    const valid = [...good.text.matchAll(/^\[GNUPG:\] VALIDSIG ([0-9A-F]{40}) /gm)];
    const fingerprints = [people.alice.fingerprint, people.bob.fingerprint];
    assert.deepEqual(valid.map(([, fingerprint]) => fingerprint).sort(), fingerprints.sort());
    writeFileSync(data, 'changed\n');
    assert.notEqual(gpg('--verify', signature, data).status, 0);
  });

  it('counts the signers whose keys it knows, though it exits with an error for the other', async () => {
    const { data, signature } = await twoSignatures(shop, people);
    const home = join(shop.path, 'one-key');
    mkdirSync(home, { mode: 0o700 });
    const one = (...parameters: string[]): Outcome => gpg('--homedir', home, ...parameters);
    one('--import', shop.write('alice.asc', people.alice.publicKey));
    const { status, text } = one('--status-fd', '1', '--verify', signature, data);
    assert.equal(text.match(/^\[GNUPG:\] VALIDSIG /gm)?.length, 1);
    assert.notEqual(status, 0);
    shop.run('gpgconf', ['--homedir', home, '--kill', 'all']);
  });

  it('decrypts a mail, says who signed it, and shows text and attachment', async () => {
    const armored = await buildMessage({
      from: { name: 'Example Foundation', address: 'security@foundation.example' },
      signingKey: people.alice.privateKey,
      recipient: people.operator.publicKey,
      subject: 'Coordinated update',
      text: 'Please be ready.\n',
      attachments: [{ name: 'notice.txt', bytes: utf8Encode('notice') }],
      messageId: '<m1@foundation.example>',
      date: NOW,
      exercise: false,
    });
    const { status, text } = gpg('--status-fd', '1', '--decrypt', shop.write('mail.asc', armored));
    assert.equal(status, 0, text);
    assert.match(text, new RegExp(`VALIDSIG ${people.alice.fingerprint}`));
    assert.match(text, /DECRYPTION_OKAY/);
    assert.match(text, /Subject: Coordinated update\r\n/);
    assert.match(text, /Please be ready\.\r\n/);
    assert.match(text, /filename="notice.txt"/);
  });

  it('signs and encrypts a mail that we open', async () => {
    const { fingerprint, publicKey, privateKey } = people.operator;
    const out = join(shop.path, 'theirs.asc');
    const plain = shop.write('theirs.txt', 'hello\n');
    const flags = ['--armor', '--compress-algo', 'none', '--digest-algo', 'SHA512', '--yes'];
    const { status, text } = gpg(...flags, '-r', fingerprint, '-o', out, '-se', plain);
    assert.equal(status, 0, text);
    const keys = new Map([[fingerprint, { person: 'ops', armoredKey: publicKey }]]);
    const armored = readFileSync(out, 'utf8');
    const { person, content } = await decryptAndVerify(armored, privateKey, keys, NOW);
    assert.deepEqual([person, Buffer.from(content).toString()], ['ops', 'hello\n']);
  });

  it('exports a key that we accept', async () => {
    const exported = gpg('--armor', '--export', people.operator.fingerprint).stdout.toString();
    const { fingerprint } = await readRecipientKey(exported, NOW);
    assert.equal(fingerprint, people.operator.fingerprint);
  });
});
