import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import * as openpgp from 'openpgp';
import { generateContactKey, readRecipientKey } from '../../../protocol/contact/contact-key.ts';
import { readContactKey } from '../../../protocol/contact/key.ts';
import { BEGIN, DAY_MS, expiringKey, meet, NOW, revoked, rsaKey } from './people.ts';
import type { People } from './people.ts';

let people: People;

before(async () => {
  people = await meet();
});

describe('generateContactKey', () => {
  it('makes a version 4 key of the legacy algorithms, valid from its date on', async () => {
    const key = await openpgp.readKey({ armoredKey: people.alice.publicKey });
    assert.equal(key.keyPacket.version, 4);
    assert.equal(key.keyPacket.algorithm, openpgp.enums.publicKey.eddsaLegacy);
    assert.equal(key.subkeys[0]?.keyPacket.algorithm, openpgp.enums.publicKey.ecdh);
    assert.deepEqual(key.getCreationTime(), BEGIN);
    assert.match(people.alice.fingerprint, /^[0-9A-F]{40}$/);
    assert.equal(key.getFingerprint().toUpperCase(), people.alice.fingerprint);
  });

  it('refuses user ids that could be read as something else', async () => {
    const name = 'Alice';
    const email = 'a@b.example';
    const bad = [
      { name: 'Alice <evil@evil.example>', email },
      { name: 'Alice\nBob', email },
      { name: '', email },
      { name: 'A\u202elice', email },
      { name, email: 'a@b.example>, <c@d.example' },
      { name, email: 'a@b@c' },
      { name, email: '"a b"@c.example' },
      { name, email: 'a@b.example\r\nRCPT TO:<x@y>' },
    ];
    for (const userId of bad) {
      await assert.rejects(generateContactKey(userId, BEGIN), { code: 'key_invalid' });
    }
  });
});

describe('readRecipientKey', () => {
  it('returns the full fingerprint and the key itself, whatever stood in its armour', async () => {
    const { fingerprint, publicKey } = people.operator;
    const commented = publicKey.replace('-----\n', '-----\nVersion: GnuPG v2\nComment: hi\n');
    for (const armored of [publicKey, commented, `\n${publicKey.replaceAll('\n', '\r\n')}\n`]) {
      const read = await readRecipientKey(armored, NOW);
      assert.equal(read.fingerprint, fingerprint);
      assert.doesNotMatch(read.armored, /Version|Comment/);
    }
  });

  it('refuses a private key, two keys, text around the key, and what is no key', async () => {
    const { alice, bob } = people;
    const keys = await Promise.all(
      [alice, bob].map(({ publicKey }) => openpgp.readKey({ armoredKey: publicKey })),
    );
    const both = new Uint8Array(keys.flatMap((key) => [...key.write()]));
    const bad = [
      alice.privateKey,
      alice.privateKey.replaceAll('PRIVATE', 'PUBLIC'),
      alice.publicKey + bob.publicKey,
      openpgp.armor(openpgp.enums.armor.publicKey, both),
      `my key:\n${alice.publicKey}`,
      `${alice.publicKey}\nregards`,
      alice.publicKey.slice(0, -200) + alice.publicKey.slice(-40),
      '',
    ];
    for (const armored of bad) {
      await assert.rejects(readRecipientKey(armored, NOW), { code: 'key_invalid' });
    }
    await assert.rejects(readRecipientKey('a'.repeat(64 * 1024 + 1), NOW), { code: 'too_large' });
  });

  it('refuses version 6, a key that only signs, and a short RSA key', async () => {
    const userIDs = { name: 'x', email: 'x@y.example' };
    const make = async (options: object): Promise<string> => {
      const pair = await openpgp.generateKey({ userIDs, date: BEGIN, ...options });
      return pair.publicKey;
    };
    const bad = [
      await make({ type: 'curve25519', config: { v6Keys: true } }),
      await make({ type: 'ecc', curve: 'ed25519Legacy', subkeys: [] }),
      await make({ type: 'rsa', rsaBits: 2048 }),
    ];
    for (const armored of bad) {
      await assert.rejects(readRecipientKey(armored, NOW), { code: 'key_invalid' });
    }
  });

  it('refuses a key that is expired, revoked or not yet made', async () => {
    const expired = await expiringKey(3600);
    await assert.rejects(readRecipientKey(expired.publicKey, NOW), { code: 'key_invalid' });
    const during = new Date(BEGIN.getTime() + 1000);
    assert.equal(
      (await readRecipientKey(expired.publicKey, during)).fingerprint,
      expired.fingerprint,
    );
    const gone = await revoked(people.operator);
    await assert.rejects(readRecipientKey(gone.publicKey, NOW), { code: 'key_invalid' });
    const earlier = new Date(BEGIN.getTime() - DAY_MS);
    await assert.rejects(readRecipientKey(people.operator.publicKey, earlier), {
      code: 'key_invalid',
    });
  });

  it('refuses a key whose revocation was made with SHA-1, which would not verify', async () => {
    const hashAlgorithm = openpgp.enums.hash.sha1;
    const rsa = await rsaKey();
    assert.equal((await readRecipientKey(rsa.publicKey, NOW)).fingerprint, rsa.fingerprint);
    const { publicKey } = await revoked(rsa, { hashAlgorithm });
    await assert.rejects(readRecipientKey(publicKey, NOW), { code: 'key_invalid' });
  });
});

describe('readContactKey', () => {
  it('refuses a key under a passphrase, a public key, and keeps the text to itself', async () => {
    const privateKey = await openpgp.readPrivateKey({ armoredKey: people.alice.privateKey });
    const locked = await openpgp.encryptKey({ privateKey, passphrase: 'secret' });
    for (const armored of [locked.armor(), people.alice.publicKey, 'not a key at all']) {
      await assert.rejects(readContactKey(armored), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'key_invalid');
        assert.doesNotMatch(error.message, /not a key at all|BEGIN PGP/);
        return true;
      });
    }
  });
});
