import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { signerFromSeed } from '../../../platform/ed25519.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { isQuorumMet, parsePolicy } from '../../../protocol/log/policy.ts';
import type { Ed25519PublicKey } from '../../../protocol/signature/ed25519.ts';
import {
  formatVerifierKey,
  NOTE_COSIGNATURE,
  NOTE_ED25519,
} from '../../../protocol/signature/verifier-key.ts';

const publicKey = (n: number): Ed25519PublicKey =>
  signerFromSeed(new Uint8Array(32).fill(n)).publicKey;
const KEYS = Array.from({ length: 12 }, (_, n) => publicKey(n + 1));
const keyOf = (n: number): Ed25519PublicKey => KEYS[n] ?? publicKey(n + 1);
const witnessKey = (n: number, name = `w${n}.example`): string =>
  formatVerifierKey(name, NOTE_COSIGNATURE, keyOf(n));
const LOG_KEY = formatVerifierKey('log.example/one', NOTE_ED25519, publicKey(99));
const W = (n: number): string => `witness w${n} ${witnessKey(n)}`;
/** Big-endian in the first four bytes; the rest is zero. */
const COLLIDING = [88_939, 106_782];
const seedOf = (n: number): Uint8Array => {
  const seed = new Uint8Array(32);
  new DataView(seed.buffer).setUint32(0, n);
  return seed;
};
const policyOf = (...lines: string[]): string => `${lines.join('\n')}\n`;

const met = (text: string, ...cosigned: number[]): boolean =>
  isQuorumMet(parsePolicy(text), new Set(cosigned.map(keyOf)));

function refused(text: string): string {
  try {
    parsePolicy(text);
  } catch (error) {
    if (error instanceof ProtocolError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'accepted';
}

describe('a witness policy', () => {
  it('reads the example of the specification: two levels of groups', () => {
    const text = policyOf(
      `log ${LOG_KEY}`,
      '',
      ...[1, 2, 3].map(W),
      'group X-witnesses 2 w1 w2 w3',
      '',
      ...[4, 5, 6].map(W),
      'group Y-witnesses any w4 w5 w6',
      '',
      'group X-and-Y all X-witnesses Y-witnesses',
      'quorum X-and-Y',
    );
    assert.equal(met(text, 1, 2, 4), true);
    assert.equal(met(text, 2, 3, 6), true);
    assert.equal(met(text, 1, 2, 3), false, 'nobody of Y');
    assert.equal(met(text, 1, 4, 5, 6), false, 'one of X');
    const { logs, witnesses } = parsePolicy(text);
    assert.deepEqual(
      logs.map(({ verifier }) => verifier.name),
      ['log.example/one'],
    );
    assert.equal(witnesses.length, 6);
  });

  it('reads space, tabs, comments, URLs and names that are not ASCII', () => {
    const text = policyOf(
      '# a comment',
      ' \t# another',
      `\twitness  K\u00e9ks \t${witnessKey(1)}  https://one.example/w/ `,
      `witness \u212a ${witnessKey(2)}`,
      ' \t ',
      'quorum K\u00e9ks',
    );
    const policy = parsePolicy(text);
    assert.equal(policy.witnesses[0]?.url, 'https://one.example/w/');
    assert.equal(policy.witnesses[1]?.url, undefined);
    assert.equal(met(text, 1), true);
    assert.equal(met(text, 2), false);
    assert.equal(policy.text, text);
  });

  it('may ask for nothing, or for a witness that is defined before others', () => {
    assert.equal(met(policyOf('quorum none')), true);
    assert.equal(met(policyOf(W(1), 'quorum w1', W(2)), 1), true);
    assert.equal(met(policyOf(W(1), 'quorum w1', W(2)), 2), false);
  });

  it('counts neither strangers nor witnesses outside of the quorum', () => {
    const text = policyOf(...[1, 2, 3, 4].map(W), 'group g 2 w1 w2 w3', 'quorum g');
    assert.equal(met(text, 1, 4, 7, 8), false);
    assert.equal(met(text, 1, 3), true);
  });

  const hostile: Record<string, [lines: string[], line: number, cause: string]> = {
    'no quorum': [[W(1)], 2, 'there is no quorum line'],
    'two quorums': [[W(1), 'quorum w1', 'quorum w1'], 3, 'there is a quorum already'],
    'a quorum none beside another': [
      [W(1), 'quorum none', 'quorum w1'],
      3,
      'there is a quorum already',
    ],
    'a quorum of two names': [[W(1), W(2), 'quorum w1 w2'], 3, 'it takes: quorum NAME'],
    'a quorum defined below': [['quorum w1', W(1)], 1, '"w1" is not defined above'],
    'a group of itself': [[W(1), 'group g 1 w1 g', 'quorum g'], 2, '"g" is not defined above'],
    'a group without members': [['group g any', 'quorum g'], 1, 'it takes: group NAME'],
    'one witness twice in a group': [
      [W(1), 'group g 2 w1 w1', 'quorum g'],
      2,
      '"w1" is in a group already',
    ],
    'one witness in two groups': [
      [W(1), W(2), 'group a any w1', 'group b all w1 w2', 'quorum b'],
      4,
      '"w1" is in a group already',
    ],
    'one group in two groups': [
      [W(1), W(2), 'group a any w1', 'group b 1 a', 'group c 2 a w2', 'quorum c'],
      5,
      '"a" is in a group already',
    ],
    'one key under two names': [
      [W(1), `witness other ${witnessKey(1)}`, 'group g 2 w1 other', 'quorum g'],
      2,
      'that key is listed already',
    ],
    'one key under two key names': [
      [W(1), `witness other ${witnessKey(1, 'else.example')}`, 'quorum other'],
      2,
      'that key is listed already',
    ],
    'a log that witnesses itself': [
      [
        `log ${LOG_KEY}`,
        `witness w ${formatVerifierKey('w', NOTE_COSIGNATURE, publicKey(99))}`,
        'quorum w',
      ],
      2,
      'that key is listed already',
    ],
    'one log twice': [[`log ${LOG_KEY}`, `log ${LOG_KEY}`], 2, 'that key is listed already'],
    'one name for two witnesses': [[W(1), `witness w1 ${witnessKey(2)}`], 2, '"w1" is defined'],
    'one name for witness and group': [[W(1), 'group w1 any w1'], 2, '"w1" is defined already'],
    'a witness named none': [[`witness none ${witnessKey(1)}`], 1, 'the name none is taken'],
    'none in a group': [[W(1), 'group g any none'], 2, '"none" is not defined above'],
    'threshold 0': [[W(1), 'group g 0 w1'], 2, 'the threshold is not all, any or a number'],
    'threshold 01': [[W(1), 'group g 01 w1'], 2, 'the threshold is not all, any or a number'],
    'threshold +1': [[W(1), 'group g +1 w1'], 2, 'the threshold is not all, any or a number'],
    'a threshold in other digits': [[W(1), 'group g \u0661 w1'], 2, 'the threshold is not'],
    'a threshold beyond the members': [[W(1), 'group g 2 w1'], 2, '2 of 1 cannot be met'],
    'ANY in capitals': [[W(1), 'group g ANY w1'], 2, 'the threshold is not all, any or a number'],
    "a log's key for a witness": [[`witness w ${LOG_KEY}`], 1, 'that is the key of a log'],
    "a witness's key for a log": [[`log ${witnessKey(1)}`], 1, 'that is the key of a witness'],
    'a key with a wrong id': [
      [`witness w ${witnessKey(1).replace(/\+([0-9a-f]{8})\+/, '+00000000+')}`],
      1,
      'verifier key with a wrong key id',
    ],
    'an unknown keyword': [['# ok', 'logs x'], 2, '"logs" is no keyword'],
    'a keyword in capitals': [['Quorum none'], 1, '"Quorum" is no keyword'],
    'a word too many': [[`${W(1)} https://a.example x`], 1, 'it takes: witness NAME VKEY [URL]'],
    'a carriage return': [['quorum none\r'], 1, 'control character'],
    'a vertical tab as space': [['quorum\u000bnone'], 1, 'control character'],
    'a no-break space as space': [['quorum\u00a0none'], 1, '"quorum?none" is no keyword'],
    'a byte order mark': [['\ufeffquorum none'], 1, '"?quorum" is no keyword'],
    'a comment behind a rule': [['quorum none # really'], 1, 'it takes: quorum NAME'],
  };
  for (const [flaw, [lines, line, cause]] of Object.entries(hostile)) {
    it(`refuses ${flaw}, naming the line`, () => {
      const message = refused(policyOf(...lines));
      assert.ok(
        message.startsWith(`policy_invalid: witness policy, line ${line}: ${cause}`),
        message,
      );
    });
  }

  it('refuses a last line without its newline, an empty text and an endless one', () => {
    assert.match(refused('quorum none'), /line 1: it does not end in a newline/);
    assert.match(refused(''), /line 1: there is no quorum line/);
    assert.match(refused('\n'), /line 2: there is no quorum line/);
    assert.match(refused(`${'#'.repeat(40_000)}\nquorum none\n`), /^too_large/);
    const many = Array.from({ length: 65 }, (_, n) => W(n + 1));
    assert.match(refused(policyOf(...many, 'quorum none')), /line 65: more than 64 of a kind/);
    assert.equal(refused(policyOf(...many.slice(0, 64), 'quorum none')), 'accepted');
    // Each group has the one before it as its only member.
    const nested = Array.from({ length: 65 }, (_, n) => `group g${n + 1} all g${n}`);
    const chain = [W(1), `group g0 all w1`, ...nested];
    assert.match(refused(policyOf(...chain, 'quorum none')), /line 66: more than 64 of a kind/);
    assert.equal(refused(policyOf(...chain.slice(0, 65), 'quorum g63')), 'accepted');
  });

  it('refuses two keys with one name and key id, by which nobody could tell them apart', () => {
    // Found by trying seeds: the key ids of type 04 under this name begin alike in 32 bits.
    const [one, two] = COLLIDING.map((seed) =>
      formatVerifierKey('w', NOTE_COSIGNATURE, signerFromSeed(seedOf(seed)).publicKey),
    );
    assert.equal(one?.slice(0, 10), two?.slice(0, 10));
    assert.notEqual(one, two);
    assert.match(
      refused(policyOf(`witness a ${one ?? ''}`, `witness b ${two ?? ''}`, 'quorum a')),
      /line 2: another key has this name and key id/,
    );
  });

  it('needs exactly k of n, whoever they are (property)', () => {
    const cases = fc.integer({ min: 1, max: 9 }).chain((n) =>
      fc.record({
        n: fc.constant(n),
        k: fc.integer({ min: 1, max: n }),
        cosigned: fc.uniqueArray(fc.integer({ min: 0, max: 11 })),
      }),
    );
    fc.assert(
      fc.property(cases, ({ n, k, cosigned }) => {
        const names = Array.from({ length: n }, (_, i) => `w${i}`);
        const text = policyOf(
          ...names.map((_, i) => W(i)),
          `group g ${k} ${names.join(' ')}`,
          'quorum g',
        );
        assert.equal(met(text, ...cosigned), cosigned.filter((i) => i < n).length >= k);
      }),
    );
  });

  it('never counts less with one cosignature more (property)', () => {
    const text = policyOf(
      ...[0, 1, 2, 3, 4, 5, 6].map(W),
      'group a 2 w0 w1 w2',
      'group b all w3 w4',
      'group c any a b w5',
      'group d all c w6',
      'quorum d',
    );
    const some = fc.uniqueArray(fc.integer({ min: 0, max: 8 }));
    fc.assert(
      fc.property(some, fc.integer({ min: 0, max: 8 }), (cosigned, more) => {
        if (met(text, ...cosigned)) assert.ok(met(text, ...cosigned, more));
        assert.equal(met(text, ...cosigned), met(text, ...cosigned, ...cosigned));
      }),
    );
  });

  it('never fails with anything but policy_invalid or too_large (property)', () => {
    const word = fc.oneof(
      fc.constantFrom('log', 'witness', 'group', 'quorum', 'none', 'any', 'all', '1', '2', 'w1'),
      fc.constantFrom(witnessKey(1), witnessKey(2), LOG_KEY, '#', '\t', ' '),
      fc.string({ unit: 'binary', maxLength: 8 }),
    );
    const line = fc.array(word, { maxLength: 6 }).map((words) => words.join(' '));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
        assert.match(
          refused(policyOf(...lines)),
          /^(accepted$|policy_invalid: witness policy, line \d+: )/,
        );
      }),
      { numRuns: 500 },
    );
  });
});
