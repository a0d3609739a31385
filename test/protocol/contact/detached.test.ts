import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import * as openpgp from 'openpgp';
import type { ContactKey } from '../../../protocol/contact/contact-key.ts';
import {
  detachedSign,
  mergeDetached,
  officerKeys,
  verifyDetached,
} from '../../../protocol/contact/detached.ts';
import { readContactKey } from '../../../protocol/contact/key.ts';
import { concatBytes, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { BEGIN, certifyOnly, expiringKey, meet, NOW, revoked, rsaKey, signAs } from './people.ts';
import type { People } from './people.ts';

const SUMS = utf8Encode(`${'a'.repeat(64)}  agave.patch\n`);

let people: People;

before(async () => {
  people = await meet();
});

const verify = (armored: string, bytes = SUMS, now = NOW): Promise<string[]> =>
  verifyDetached(bytes, armored, people.officers, now);

const sign = (key: ContactKey, date = NOW): Promise<string> =>
  detachedSign(SUMS, key.privateKey, date);

describe('verifyDetached', () => {
  it('names the officer who signed, and both when both did', async () => {
    assert.deepEqual(await verify(await sign(people.alice)), ['alice']);
    const parsed = await readContactKey(people.bob.privateKey);
    const both = await mergeDetached([
      await detachedSign(SUMS, parsed, NOW),
      await sign(people.alice),
    ]);
    assert.equal(both.match(/BEGIN PGP SIGNATURE/g)?.length, 1);
    assert.deepEqual(await verify(both), ['alice', 'bob']);
  });

  it('counts an officer who signed twice once', async () => {
    const twice = [await sign(people.alice), await sign(people.alice, BEGIN)];
    assert.deepEqual(await verify(await mergeDetached(twice)), ['alice']);
    const [one = ''] = twice;
    assert.equal((await mergeDetached([one, one])).length, one.length);
  });

  it('refuses any other bytes, also other line ends and a trailing space', async () => {
    const armored = await sign(people.alice);
    const text = new TextDecoder().decode(SUMS);
    const others = [
      text.replace('a', 'b'),
      text.replaceAll('\n', '\r\n'),
      text.replace('\n', ' \n'),
      text.trimEnd(),
      `${text}\n`,
      '',
    ];
    for (const other of others) {
      await assert.rejects(verify(armored, utf8Encode(other)), { code: 'signature_invalid' });
    }
  });

  it('refuses a text-mode signature, which does not bind line ends', async () => {
    const message = await openpgp.createMessage({ text: new TextDecoder().decode(SUMS) });
    const signingKeys = await openpgp.readPrivateKey({ armoredKey: people.alice.privateKey });
    const signed: unknown = await openpgp.sign({ message, signingKeys, detached: true, date: NOW });
    await assert.rejects(verify(String(signed)), { code: 'signature_invalid' });
  });

  it('refuses the same user id with another key, and a stranger beside an officer', async () => {
    await assert.rejects(verify(await sign(people.impostor)), { code: 'signature_invalid' });
    const mixed = await mergeDetached([await sign(people.alice), await sign(people.operator)]);
    await assert.rejects(verify(mixed), { code: 'signature_invalid' });
  });

  it('refuses a signature that claims an officer’s fingerprint', async () => {
    const honest = await signAs(SUMS, people.alice, people.alice);
    assert.deepEqual(await verify(honest), ['alice']);
    const forged = await signAs(SUMS, people.impostor, people.alice);
    await assert.rejects(verify(forged), {
      code: 'signature_invalid',
      message: 'OpenPGP signature of alice does not hold',
    });
  });

  it('refuses a pinned fingerprint that stands for another key', async () => {
    const { fingerprint } = people.alice;
    const swapped = new Map([
      [fingerprint, { person: 'alice', armoredKey: people.impostor.publicKey }],
    ]);
    for (const signer of [people.alice, people.impostor]) {
      const armored = await sign(signer);
      await assert.rejects(verifyDetached(SUMS, armored, swapped, NOW), {
        code: 'signature_invalid',
      });
    }
  });

  it('refuses a key that was expired when it signed, and accepts it before', async () => {
    const key = await expiringKey(3600);
    const officers = await officerKeys([{ id: 'alice', openpgp: key.publicKey }]);
    const during = await sign(key, new Date(BEGIN.getTime() + 1000));
    assert.deepEqual(await verifyDetached(SUMS, during, officers, NOW), ['alice']);
    const late = await signAs(SUMS, key, key);
    await assert.rejects(verifyDetached(SUMS, late, officers, NOW), { code: 'signature_invalid' });
  });

  it('refuses a key whose revocation was made with SHA-1, which would not verify', async () => {
    const rsa = await rsaKey();
    const { publicKey } = await revoked(rsa, { hashAlgorithm: openpgp.enums.hash.sha1 });
    const officers = await officerKeys([{ id: 'alice', openpgp: publicKey }]);
    await assert.rejects(verifyDetached(SUMS, await sign(rsa), officers, NOW), {
      code: 'signature_invalid',
    });
  });

  it('refuses a revoked key, whenever it signed', async () => {
    const { publicKey } = await revoked(people.alice);
    const officers = await officerKeys([{ id: 'alice', openpgp: publicKey }]);
    for (const date of [BEGIN, NOW]) {
      const armored = await sign(people.alice, date);
      await assert.rejects(verifyDetached(SUMS, armored, officers, NOW), {
        code: 'signature_invalid',
      });
    }
  });

  it('refuses a signature from the future beyond five minutes of clock skew', async () => {
    const ahead = (ms: number): Promise<string> => sign(people.alice, new Date(NOW.getTime() + ms));
    assert.deepEqual(await verify(await ahead(4 * 60_000)), ['alice']);
    await assert.rejects(verify(await ahead(6 * 60_000)), { code: 'signature_invalid' });
  });

  it('refuses a key that may certify but not sign', async () => {
    const { publicKey } = await certifyOnly(people.alice);
    const officers = await officerKeys([{ id: 'alice', openpgp: publicKey }]);
    const armored = await sign(people.alice);
    await assert.rejects(verifyDetached(SUMS, armored, officers, NOW), {
      code: 'signature_invalid',
    });
  });

  it('refuses SHA-1', async () => {
    const rsa = await rsaKey();
    const officers = await officerKeys([{ id: 'alice', openpgp: rsa.publicKey }]);
    const signWith = (hashAlgorithm: openpgp.enums.hash): Promise<string> =>
      signAs(SUMS, rsa, rsa, { hashAlgorithm });
    const strong = await signWith(openpgp.enums.hash.sha256);
    assert.deepEqual(await verifyDetached(SUMS, strong, officers, NOW), ['alice']);
    const weak = await signWith(openpgp.enums.hash.sha1);
    await assert.rejects(verifyDetached(SUMS, weak, officers, NOW), {
      code: 'signature_invalid',
    });
  });

  it('refuses no signature, two blocks, text around, armour headers, and other blocks', async () => {
    const armored = await sign(people.alice);
    const empty = openpgp.armor(openpgp.enums.armor.signature, new Uint8Array());
    const clear: unknown = await openpgp.sign({
      message: await openpgp.createCleartextMessage({ text: 'hello' }),
      signingKeys: await openpgp.readPrivateKey({ armoredKey: people.alice.privateKey }),
      date: NOW,
    });
    const bad = [
      '',
      empty,
      armored + armored,
      `Dear all,\n${armored}`,
      `${armored}\nurgent: see http://evil.example`,
      armored.replace('-----\n', '-----\nComment: trust me\n'),
      armored.replaceAll('SIGNATURE', 'MESSAGE'),
      String(clear),
      people.alice.publicKey,
    ];
    for (const text of bad) {
      await assert.rejects(verify(text), { code: 'signature_invalid' }, text);
      await assert.rejects(mergeDetached([text]), { code: 'signature_invalid' }, text);
    }
  });

  it('refuses 10,000 signatures, and 65, without verifying one', async () => {
    const armored = await sign(people.alice);
    const signature = await openpgp.readSignature({ armoredSignature: armored });
    const one: unknown = signature.write();
    assert.ok(one instanceof Uint8Array);
    const many = (count: number): string => {
      const bytes = concatBytes(...Array.from({ length: count }, () => one));
      return openpgp.armor(openpgp.enums.armor.signature, bytes);
    };
    await assert.rejects(verify(many(10_000)), { code: 'too_large' });
    await assert.rejects(verify(many(65)), { code: 'signature_invalid' });
    assert.deepEqual(await verify(many(2)), ['alice']);
  });
});

describe('officerKeys', () => {
  it('refuses one key of two people', async () => {
    const { publicKey } = people.alice;
    const twice = [
      { id: 'alice', openpgp: publicKey },
      { id: 'bob', openpgp: publicKey },
    ];
    await assert.rejects(officerKeys(twice), { code: 'key_invalid' });
  });
});
