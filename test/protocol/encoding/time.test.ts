import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import {
  formatInstant,
  formatTime,
  parseInstant,
  parseTime,
} from '../../../protocol/encoding/time.ts';

const refused = { name: 'ProtocolError', code: 'encoding_invalid' };
const FIRST = Date.parse('0000-01-01T00:00:00Z');
const LAST = Date.parse('9999-12-31T23:59:59.999Z');
const anyTime = fc.integer({ min: FIRST, max: LAST });

/** What neither a time nor an instant may look like, with `%` where an instant has its decimals. */
const BAD = [
  ...['2026-11-20T14:00:00%', '2026-11-20T14:00:00%z', '2026-11-20t14:00:00%Z'],
  ...['2026-11-20T14:00:00%+00:00', '2026-11-20T14:00:00%-00:00', '2026-11-20 14:00:00%Z'],
  ...['2026-02-29T00:00:00%Z', '2026-04-31T00:00:00%Z', '2026-13-01T00:00:00%Z'],
  ...['2026-00-10T00:00:00%Z', '2026-01-00T00:00:00%Z', '2026-11-20T24:00:00%Z'],
  ...['2026-11-20T14:60:00%Z', '2016-12-31T23:59:60%Z', '26-11-20T14:00:00%Z'],
  ...['+002026-11-20T14:00:00%Z', '-000001-11-20T14:00:00%Z', '2026-11-20T14:00%Z'],
  ...[
    ' 2026-11-20T14:00:00%Z',
    '2026-11-20T14:00:00%Z\n',
    '',
    '2026-11-20',
    '٢026-11-20T14:00:00%Z',
  ],
];

describe('time', () => {
  it('reads and writes RFC 3339 in UTC to the second', () => {
    assert.equal(parseTime('2026-11-20T14:00:00Z'), Date.UTC(2026, 10, 20, 14));
    assert.equal(parseTime('2024-02-29T23:59:59Z'), Date.UTC(2024, 1, 29, 23, 59, 59));
    assert.equal(formatTime(Date.UTC(2026, 10, 20, 14)), '2026-11-20T14:00:00Z');
  });

  it('refuses every other spelling, and days that do not exist', () => {
    for (const text of [...BAD.map((bad) => bad.replace('%', '')), '2026-11-20T14:00:00.000Z']) {
      assert.throws(() => parseTime(text), refused, text);
    }
  });

  it('writes the second a time lies in (property)', () => {
    fc.assert(
      fc.property(anyTime, fc.double({ min: 0, max: 0.9, noNaN: true }), (time, fraction) => {
        assert.equal(parseTime(formatTime(time)), Math.floor(time / 1000) * 1000);
        assert.equal(formatTime(time + fraction), formatTime(time));
        assert.equal(formatInstant(time + fraction), formatInstant(time));
      }),
    );
  });

  it('writes no time outside the four-digit years', () => {
    for (const time of [FIRST - 1, LAST + 1, NaN, Infinity]) {
      assert.throws(() => formatTime(time), RangeError);
      assert.throws(() => formatInstant(time), RangeError);
    }
  });
});

describe('instant', () => {
  it('always has three decimals', () => {
    assert.equal(parseInstant('2026-11-20T14:00:00.123Z'), Date.UTC(2026, 10, 20, 14) + 123);
    assert.equal(formatInstant(Date.UTC(2026, 10, 20, 14)), '2026-11-20T14:00:00.000Z');
    for (const decimals of ['', '.', '.1', '.12', '.1234', ',123']) {
      assert.throws(() => parseInstant(`2026-11-20T14:00:00${decimals}Z`), refused, decimals);
    }
  });

  it('refuses every other spelling, and days that do not exist', () => {
    for (const bad of BAD) {
      assert.throws(() => parseInstant(bad.replace('%', '.123')), refused, bad);
    }
  });

  it('reads back what it wrote, to the millisecond (property)', () => {
    fc.assert(
      fc.property(anyTime, (time) => {
        assert.equal(parseInstant(formatInstant(time)), time);
      }),
    );
  });
});
