import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { encodeSums, parseSums } from '../../../protocol/embargo/sums.ts';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);

describe('SHA256SUMS', () => {
  it('is what sha256sum writes, sorted bytewise by name', () => {
    const bytes = encodeSums([
      { name: 'release.txt', sha256: A },
      { name: 'INSTRUCTIONS.md', sha256: B },
    ]);
    assert.equal(utf8Decode(bytes), `${B}  INSTRUCTIONS.md\n${A}  release.txt\n`);
  });

  it('comes back as it was written (property)', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/);
    const sha256 = fc.stringMatching(/^[0-9a-f]{64}$/);
    const sums = fc.uniqueArray(fc.record({ name, sha256 }, { noNullPrototype: true }), {
      minLength: 1,
      selector: (sum) => sum.name,
    });
    fc.assert(
      fc.property(sums, (list) => {
        fc.pre(list.every((sum) => sum.name !== 'SHA256SUMS'));
        const sorted = list.toSorted((a, b) => (a.name < b.name ? -1 : 1));
        assert.deepEqual(parseSums(encodeSums(list)), sorted);
      }),
    );
  });

  const flaws: Readonly<Record<string, string>> = {
    'an empty list': '',
    'a missing last newline': `${A}  a`,
    'a blank line': `${A}  a\n\n`,
    'CRLF line ends': `${A}  a\r\n`,
    'the escape of coreutils': `\\${A}  a\\\\b\n`,
    'a backslash in a name': `${A}  a\\b\n`,
    'a path': `${A}  sub/a\n`,
    'a name that climbs': `${A}  ../a\n`,
    'a dot file': `${A}  .a\n`,
    'a name of 101 characters': `${A}  ${'a'.repeat(101)}\n`,
    'upper-case hex': `${A.toUpperCase()}  a\n`,
    '63 digits': `${A.slice(1)}  a\n`,
    'one space': `${A} a\n`,
    'binary mode': `${A} *a\n`,
    'a tab': `${A}\ta\n`,
    'a comment': `# sums\n${A}  a\n`,
    'a name twice': `${A}  a\n${A}  a\n`,
    'a name twice with two digests': `${A}  a\n${B}  a\n`,
    'names out of order': `${A}  b\n${A}  a\n`,
    itself: `${A}  SHA256SUMS\n`,
    'a trailing space': `${A}  a \n`,
  };
  for (const [flaw, text] of Object.entries(flaws)) {
    it(`refuses ${flaw}`, () => {
      assert.throws(() => parseSums(utf8Encode(text)), { code: 'bundle_invalid' });
    });
  }

  it('refuses a byte order mark, bytes that are not UTF-8, and more than 256 KiB', () => {
    const bytes = utf8Encode(`${A}  a\n`);
    const marked = Uint8Array.from([0xef, 0xbb, 0xbf, ...bytes]);
    assert.throws(() => parseSums(marked), { code: 'encoding_invalid' });
    assert.throws(() => parseSums(Uint8Array.of(0xff)), { code: 'encoding_invalid' });
    assert.throws(() => parseSums(new Uint8Array(256 * 1024 + 1)), { code: 'too_large' });
  });

  it('refuses to write what it would not read', () => {
    for (const sum of [
      { name: 'a\\b', sha256: A },
      { name: 'SHA256SUMS', sha256: A },
      { name: 'a', sha256: A.toUpperCase() },
    ]) {
      assert.throws(() => encodeSums([sum]), { code: 'bundle_invalid' });
    }
    assert.throws(() => encodeSums([]), { code: 'bundle_invalid' });
    const twice = [
      { name: 'a', sha256: A },
      { name: 'a', sha256: B },
    ];
    assert.throws(() => encodeSums(twice), { code: 'bundle_invalid' });
  });
});
