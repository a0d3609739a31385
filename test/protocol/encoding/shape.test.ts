import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { z } from 'zod';

import { toBase58 } from '../../../protocol/encoding/bytes.ts';
import {
  ageRecipient,
  campaignId,
  documentName,
  fileName,
  hex64,
  instant,
  networkId,
  parseShape,
  personId,
  safeCount,
  stakeText,
  time,
} from '../../../protocol/encoding/shape.ts';

const RECIPIENT = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';
const KEY = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
const GENESIS = '5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d';

const plan = z.strictObject({ documents: z.array(z.strictObject({ name: documentName })) });

describe('parseShape', () => {
  it('returns what the schema accepted', () => {
    const value = { documents: [{ name: 'notice.txt' }] };
    assert.deepEqual(parseShape(plan, value, 'plan_invalid', 'plan'), value);
  });

  it('throws the given code and names the path, never the value', () => {
    assert.throws(
      () => parseShape(plan, { documents: [{ name: 'SECRET' }] }, 'plan_invalid', 'plan'),
      { code: 'plan_invalid', message: 'plan.documents.0.name: invalid_format' },
    );
  });

  it('refuses unknown members without repeating their names', () => {
    assert.throws(() => parseShape(plan, { documents: [], SECRET: 1 }, 'plan_invalid', 'plan'), {
      code: 'plan_invalid',
      message: 'plan: unrecognized_keys',
    });
  });
});

const fields: Record<string, { schema: z.ZodType; good: unknown[]; bad: unknown[] }> = {
  hex64: {
    schema: hex64,
    good: ['0'.repeat(64), KEY],
    bad: ['', 'A'.repeat(64), '0'.repeat(63), '0'.repeat(65), `${'0'.repeat(64)}\n`, 0],
  },
  time: {
    schema: time,
    good: ['2026-11-20T14:00:00Z'],
    bad: ['2026-11-20T14:00:00.000Z', '2026-02-30T14:00:00Z', 1_763_647_200_000],
  },
  instant: {
    schema: instant,
    good: ['2026-11-20T14:00:00.123Z'],
    bad: ['2026-11-20T14:00:00Z', '2026-02-30T14:00:00.000Z'],
  },
  campaignId: {
    schema: campaignId,
    good: ['SDX-2026-7KQ4'],
    bad: ['SDX-2026-7kq4', 'SDX-2026-7KQ', 'SDX-2026-7KQ45', 'sdx-2026-7KQ4', 'SDX-٢026-7KQ4'],
  },
  personId: {
    schema: personId,
    good: ['ada', '0', 'a-b', 'a'.repeat(32)],
    bad: ['', '-a', 'Ada', 'a_b', 'a.b', 'a'.repeat(33), 'ada\n', 'аda'],
  },
  networkId: {
    schema: networkId,
    good: [`solana:${GENESIS}`, `solana:${'1'.repeat(32)}`],
    bad: [
      ...[GENESIS, `solana:${GENESIS}x`, `solana: ${GENESIS}`, `SOLANA:${GENESIS}`, 'solana:'],
      ...[`solana:${toBase58(new Uint8Array(31).fill(9))}`, `solana:${'0'.repeat(44)}`],
      ...[`cosmos:${GENESIS}`, `xxxxxx:${GENESIS}`, `solana:${'z'.repeat(100_000)}`],
    ],
  },
  fileName: {
    schema: fileName,
    good: ['a', 'SHA256SUMS.asc', 'agave-v2.0.patch', '0_a', 'a'.repeat(100)],
    bad: [
      ...['', '.', '..', '.ssh', '-rf', '_a', 'a/b', 'a\\b', 'a b', 'a\0', 'a\n', 'é'],
      ...['a'.repeat(101), '../a', 'a:b', '\u202etxt.exe', '%2e%2e'],
    ],
  },
  documentName: {
    schema: documentName,
    good: ['notice.txt', 'a', '0', 'a'.repeat(64)],
    bad: ['', '.', '..', 'Notice.txt', 'a_b', '-a', 'a/b', 'a'.repeat(65), 'a\n'],
  },
  stakeText: {
    schema: stakeText,
    good: ['0', '1', '10', '9'.repeat(39)],
    bad: ['', '00', '01', '-1', '+1', '1.0', '1e3', ' 1', '1\n', '0x1', '9'.repeat(40), 1, '١'],
  },
  safeCount: {
    schema: safeCount,
    good: [0, 1, Number.MAX_SAFE_INTEGER],
    bad: [-1, 0.5, 2 ** 53, NaN, Infinity, '1', 1n, null],
  },
  ageRecipient: {
    schema: ageRecipient,
    good: [RECIPIENT],
    bad: [
      ...[RECIPIENT.toUpperCase(), `${RECIPIENT}q`, RECIPIENT.slice(0, -1), `${RECIPIENT}\n`, ''],
      // One character changed, so that the checksum fails; then another prefix.
      ...[RECIPIENT.replace('ql3z', 'ql3x'), RECIPIENT.replace('age1', 'agf1')],
    ],
  },
};

describe('field schemas', () => {
  for (const [name, { schema, good, bad }] of Object.entries(fields)) {
    it(`${name} accepts one form only`, () => {
      for (const value of good) assert.equal(schema.safeParse(value).data, value);
      for (const value of bad) assert.equal(schema.safeParse(value).success, false, String(value));
    });
  }

  it('need no code generation, which a page policy may forbid', () => {
    assert.equal(z.config().jitless, true);
  });
});
