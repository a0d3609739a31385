import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requireArmor } from '../../../protocol/contact/armor.ts';

const block = (label: string, body: string): string =>
  `-----BEGIN PGP ${label}-----\n${body}\n-----END PGP ${label}-----`;

const message = (text: string, max = 10_000): string =>
  requireArmor(text, 'MESSAGE', max, 'message_invalid');

const key = (text: string): string =>
  requireArmor(text, 'PUBLIC KEY BLOCK', 100_000, 'key_invalid');

describe('requireArmor', () => {
  it('returns one block without the blanks around it, whatever its line ends', () => {
    const text = block('MESSAGE', '\nwcBM\n=abcd');
    for (const padded of [text, `\n ${text}\r\n\n`]) assert.equal(message(padded), text);
    const crlf = text.replaceAll('\n', '\r\n');
    assert.equal(message(crlf), crlf);
  });

  it('allows armour headers on keys only', () => {
    const body = 'Version: GnuPG v2\nComment: a key\n\nmQEN\n=abcd';
    key(block('PUBLIC KEY BLOCK', body));
    assert.throws(() => message(block('MESSAGE', body)), { code: 'message_invalid' });
  });

  it('refuses text before, behind or inside, and blocks of another kind', () => {
    const text = block('MESSAGE', '\nwcBM');
    const flaws = [
      `x${text}`,
      `${text}x`,
      `${text}\n${text}`,
      block('MESSAGE', '\nwcBM\nplain text\nwcBM'),
      block('MESSAGE', '\nwcBM\n-----END PGP MESSAGE-----\nwcBM'),
      block('SIGNATURE', '\nwcBM'),
      block('MESSAGE, PART 1/2', '\nwcBM'),
      text.replace('-----\n\n', '-----\n'),
      text.replace('-----\n\n', '-----'),
      text.replace('BEGIN', 'begin'),
      '-----BEGIN PGP MESSAGE-----',
      '-----BEGIN PGP MESSAGE-----END PGP MESSAGE-----',
      '',
    ];
    for (const flaw of flaws) {
      assert.throws(() => message(flaw), { code: 'message_invalid' }, flaw);
    }
  });

  it('looks at the length first, and takes linear time', () => {
    assert.throws(() => message(block('MESSAGE', '\nwcBM'), 10), { code: 'too_large' });
    const begin = performance.now();
    for (const filler of ['\n', '\r\n', 'A: \n', 'A', 'A:', ' ']) {
      const body = filler.repeat(90_000 / filler.length);
      assert.throws(() => key(block('PUBLIC KEY BLOCK', `\n${body}!`)), { code: 'key_invalid' });
    }
    assert.ok(performance.now() - begin < 1000);
  });
});
