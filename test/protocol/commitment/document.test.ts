import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  documentDigest,
  encodeDocument,
  MAX_DOCUMENT_BYTES,
  parseDocument,
} from '../../../protocol/commitment/document.ts';
import { sha256Hex, utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { readVectors, type Vector } from '../../support/vectors.ts';

interface DocumentVector extends Vector {
  readonly document: string;
  readonly sha256?: string;
  readonly type?: string;
  readonly body?: string;
  readonly code?: string;
}

const NONCE = '00112233445566778899aabbccddeeff'.repeat(2);
const documentWith = (body: string): Uint8Array =>
  encodeDocument({
    type: 'notice',
    campaign: 'SDX-2026-7KQ4',
    nonce: NONCE,
    body: utf8Encode(body),
  });

describe('parseDocument', () => {
  for (const { name, document, sha256, type, body } of readVectors(
    'document',
    'valid',
  ) as DocumentVector[]) {
    it(`accepts ${name} and gives back its bytes`, () => {
      const bytes = utf8Encode(document);
      const parsed = parseDocument(bytes);
      assert.equal(parsed.type, type);
      assert.equal(utf8Decode(parsed.body), body);
      assert.equal(documentDigest(bytes), sha256);
      assert.deepEqual(encodeDocument(parsed), bytes);
    });
  }

  for (const { name, document, code } of readVectors('document', 'invalid') as DocumentVector[]) {
    it(`refuses ${name}`, () => {
      assert.throws(() => parseDocument(utf8Encode(document)), { code });
    });
  }

  it('refuses a byte that is not ASCII in the header', () => {
    const bytes = documentWith('text');
    bytes[0] = 0xf3;
    assert.throws(() => parseDocument(bytes), { code: 'document_invalid' });
  });

  it('takes a body of any bytes but carriage returns, and only up to 4 MiB in all', () => {
    const header = documentWith('').length;
    const body = new Uint8Array(MAX_DOCUMENT_BYTES - header).fill(0xff);
    const largest = encodeDocument({ ...parseDocument(documentWith('')), body });
    assert.equal(parseDocument(largest).body.length, body.length);
    const oneMore = new Uint8Array(MAX_DOCUMENT_BYTES + 1);
    assert.throws(() => parseDocument(oneMore), { code: 'too_large' });
  });

  it('never accepts two encodings of one document (property)', () => {
    const bytes = documentWith('what to prepare\n');
    const header = documentWith('').length;
    const at = fc.nat({ max: header - 1 });
    fc.assert(
      fc.property(at, fc.integer({ min: 0, max: 255 }), (index, byte) => {
        const changed = bytes.slice();
        changed[index] = byte;
        let parsed;
        try {
          parsed = parseDocument(changed);
        } catch {
          return;
        }
        assert.deepEqual(encodeDocument(parsed), changed);
      }),
    );
  });

  it('hides alike bodies behind their nonces', () => {
    const document = parseDocument(documentWith('same'));
    const other = encodeDocument({ ...document, nonce: 'ff'.repeat(32) });
    assert.notEqual(sha256Hex(other), documentDigest(documentWith('same')));
  });
});

describe('encodeDocument', () => {
  it('writes nothing that would not be read', () => {
    const document = parseDocument(documentWith('text'));
    for (const flaw of [
      { campaign: 'SDX-2026-7kq4' },
      { nonce: NONCE.toUpperCase() },
      { nonce: `${NONCE}\n` },
      { campaign: 'SDX-2026-7KQ4\nnonce: x' },
      { body: utf8Encode('line\r\n') },
    ]) {
      assert.throws(() => encodeDocument({ ...document, ...flaw }), { code: 'document_invalid' });
    }
  });
});
