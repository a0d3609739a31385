import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  formatTimestampIndex,
  isTimestampPath,
  parseTimestampIndex,
  TIMESTAMPS,
} from '../../../protocol/log/timestamps.ts';

describe('timestamps of a log', () => {
  it('have an index of one encoding', () => {
    for (const sizes of [[], [0], [3, 300, 70_000, Number.MAX_SAFE_INTEGER]]) {
      assert.deepEqual(parseTimestampIndex(formatTimestampIndex(sizes)), sizes);
    }
    assert.equal(formatTimestampIndex([300, 3]), '3\n300\n');
    for (const text of [
      '3',
      '\n',
      '3\n3\n',
      '300\n3\n',
      '03\n',
      '-1\n',
      '3\r\n',
      ' 3\n',
      '1e3\n',
      '9007199254740992\n',
      '3\n\n300\n',
    ]) {
      assert.throws(() => parseTimestampIndex(text), { code: 'encoding_invalid' }, text);
    }
    assert.throws(() => parseTimestampIndex('3\n'.repeat(2_000_001)), { code: 'too_large' });
  });

  it('lie where they are looked for, and nowhere else', () => {
    for (const path of [TIMESTAMPS.index, TIMESTAMPS.token(0), TIMESTAMPS.checkpoint(70_000)]) {
      assert.ok(isTimestampPath(path), path);
    }
    for (const path of ['timestamps/', 'timestamps/00.tsr', 'timestamps/1.tsr.x', 'x/index']) {
      assert.ok(!isTimestampPath(path), path);
    }
  });
});
