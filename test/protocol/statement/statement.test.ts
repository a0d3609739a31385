import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import {
  encodeStatement,
  MAX_STATEMENT_BYTES,
  parseStatement,
} from '../../../protocol/statement/statement.ts';
import { readVectors, type Vector } from '../../support/vectors.ts';

interface StatementVector extends Vector {
  readonly payload: string;
  readonly kind?: string;
  readonly code?: string;
}

const SHA256 = 'ab'.repeat(32);

describe('an in-toto statement', () => {
  for (const { name, payload, kind } of readVectors('statement', 'valid') as StatementVector[]) {
    it(`is accepted and written alike: ${name}`, () => {
      const statement = parseStatement(utf8Encode(payload));
      assert.equal(statement.kind, kind);
      const { subject, predicate } = statement;
      const written = encodeStatement(statement.kind, subject, predicate as object);
      assert.deepEqual(JSON.parse(utf8Decode(written)), JSON.parse(payload));
    });
  }

  for (const { name, payload, code } of readVectors('statement', 'invalid') as StatementVector[]) {
    it(`is refused: ${name}`, () => {
      assert.throws(() => parseStatement(utf8Encode(payload)), { code });
    });
  }

  it('is refused above 128 KiB before it is parsed', () => {
    const long = new Uint8Array(MAX_STATEMENT_BYTES + 1).fill(0x20);
    assert.throws(() => parseStatement(long), { code: 'too_large' });
  });

  it('is never written about nothing, or about two things of one name', () => {
    const subject = { name: 'plan.txt', sha256: SHA256 };
    for (const subjects of [[], [subject, subject], [{ ...subject, name: '../plan.txt' }]]) {
      assert.throws(() => encodeStatement('directive', subjects, {}), {
        code: 'statement_invalid',
      });
    }
  });
});
