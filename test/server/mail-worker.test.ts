import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { buildEncryptedMail } from '../../server/jobs/mime.ts';
import { retryDelayMs } from '../../server/jobs/mail-worker.ts';
import { parseAddress } from '../../server/services/contact/address.ts';

describe('a mail that was not taken', () => {
  it('is tried again after 1, 5, 15, 30 and 60 minutes, and a little more', () => {
    const minutes = (random: number): number[] =>
      [0, 1, 2, 3, 4, 5, 100].map((attempts) => retryDelayMs(attempts, () => random) / 60_000);
    assert.deepEqual(minutes(0), [1, 5, 15, 30, 60, 60, 60]);
    for (const [index, delay] of minutes(0.999).entries()) {
      const least = minutes(0)[index] ?? 0;
      assert.ok(delay > least && delay < least * 1.2);
    }
  });
});

describe('an encrypted mail', () => {
  const headers = {
    from: 'security@foundation.example',
    to: 'operator@validators.example',
    messageId: '<0123@sealdrop.example>',
    date: new Date('2026-11-20T12:00:00Z'),
  };
  const block = '-----BEGIN PGP MESSAGE-----\n\nAAAA\n-----END PGP MESSAGE-----\n';

  it('is one fixed form around the block, in 7bit lines', () => {
    const raw = buildEncryptedMail(headers, block);
    assert.equal(raw, buildEncryptedMail(headers, block), 'the same again when sent again');
    for (const line of raw.split('\r\n')) {
      assert.match(line, /^[\x20-\x7e]*$/);
      assert.ok(line.length < 200);
    }
    assert.match(raw, /\r\nDate: Fri, 20 Nov 2026 12:00:00 \+0000\r\n/);
    const boundary = /boundary="([^"]+)"/.exec(raw)?.[1] ?? '';
    assert.equal(raw.split(`--${boundary}`).length, 4);
    assert.ok(raw.endsWith(`--${boundary}--\r\n`));
    assert.match(raw, /Content-Type: application\/pgp-encrypted\r\n[^]*\r\n\r\nVersion: 1\r\n/);
  });

  it('cannot be given a header that begins a line of its own', () => {
    for (const name of ['from', 'to', 'messageId'] as const) {
      assert.throws(() =>
        buildEncryptedMail({ ...headers, [name]: 'a\r\nBcc: b@c.example' }, block),
      );
    }
  });
});

describe('a mail address', () => {
  it('is one plain mailbox, with its domain in lower case', () => {
    assert.equal(parseAddress('Ops.Team+x@Validators.Example'), 'Ops.Team+x@validators.example');
    assert.equal(parseAddress('a@b.co'), 'a@b.co');
    const refused = [
      '',
      '@',
      'a@',
      '@b.example',
      'a@b',
      'a@b@c.example',
      'a b@c.example',
      'a@-b.example',
      'a@b-.example',
      'a.@b.example',
      'a..b@c.example',
      '-a@b.example',
      'a@b.example\n',
      `a@${'b'.repeat(64)}.example`,
      `a@${'b.'.repeat(130)}example`,
    ];
    for (const text of refused) assert.equal(parseAddress(text), undefined, text);
  });
});
