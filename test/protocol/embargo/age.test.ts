import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Encrypter, generateHybridIdentity, identityToRecipient } from 'age-encryption';
import fc from 'fast-check';
import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { generateKey, open, recipientOf, seal } from '../../../protocol/embargo/age.ts';
import { ProtocolError } from '../../../protocol/errors.ts';

describe('seal and open', () => {
  it('give the plaintext back to each recipient (property)', async () => {
    const [one, two] = [await generateKey(), await generateKey()];
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 70_000 }), async (plaintext) => {
        const sealed = await seal(plaintext, [one.recipient, two.recipient]);
        assert.deepEqual(await open(sealed, one.identity), plaintext);
        assert.deepEqual(await open(sealed, two.identity), plaintext);
      }),
      { numRuns: 15 },
    );
  });

  it('refuses every other key, and every flipped or missing byte of a file', async () => {
    const [ours, other] = [await generateKey(), await generateKey()];
    const sealed = await seal(utf8Encode('secret'), [ours.recipient]);
    await assert.rejects(open(sealed, other.identity), { code: 'bundle_invalid' });
    for (let offset = 0; offset < sealed.length; offset++) {
      const changed = sealed.slice();
      changed[offset] = 1 ^ (changed[offset] ?? 0);
      await assert.rejects(open(changed, ours.identity), { code: 'bundle_invalid' });
      const cut = sealed.subarray(0, offset);
      await assert.rejects(open(cut, ours.identity), { code: 'bundle_invalid' });
    }
    const longer = Uint8Array.from([...sealed, 0]);
    await assert.rejects(open(longer, ours.identity), { code: 'bundle_invalid' });
  });

  it('does not say why, and carries neither key nor content in the error', async () => {
    const [ours, other] = [await generateKey(), await generateKey()];
    const sealed = await seal(utf8Encode('canary'), [other.recipient]);
    await assert.rejects(open(sealed, ours.identity), (error) => {
      assert.ok(error instanceof ProtocolError);
      assert.equal(error.cause, undefined);
      assert.doesNotMatch(`${error.message}${error.stack ?? ''}`, /AGE-SECRET|canary|age1/);
      return true;
    });
  });

  it('refuses a passphrase file without computing the passphrase', async () => {
    const encrypter = new Encrypter();
    encrypter.setScryptWorkFactor(2);
    encrypter.setPassphrase('guess');
    const sealed = await encrypter.encrypt(utf8Encode('secret'));
    const { identity } = await generateKey();
    await assert.rejects(open(sealed, identity), { code: 'bundle_invalid' });
  });

  it('refuses recipients and identities of other kinds or with a wrong checksum', async () => {
    const { identity, recipient } = await generateKey();
    const hybrid = await generateHybridIdentity();
    const last = (text: string, one: string, two: string): string =>
      text.slice(0, -1) + (text.endsWith(one) ? two : one);
    const recipients = [
      '',
      recipient.toUpperCase(),
      `${recipient} `,
      last(recipient, 'q', 'p'),
      await identityToRecipient(hybrid),
      identity,
    ];
    for (const bad of recipients) {
      await assert.rejects(seal(new Uint8Array(), [bad]), { code: 'key_invalid' });
    }
    await assert.rejects(seal(new Uint8Array(), []), { code: 'key_invalid' });
    const identities = [
      '',
      identity.toLowerCase(),
      `${identity}\n`,
      last(identity, 'Q', 'P'),
      hybrid,
    ];
    for (const bad of identities) {
      await assert.rejects(recipientOf(bad), { code: 'key_invalid' });
      await assert.rejects(open(new Uint8Array(), bad), { code: 'key_invalid' });
    }
    assert.equal(await recipientOf(identity), recipient);
  });
});
