import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  commitmentDigest,
  commitmentName,
  encodeCommitment,
  parseCommitment,
  verifyOpening,
} from '../../../protocol/commitment/commitment.ts';
import {
  documentDigest,
  encodeDocument,
  parseDocument,
} from '../../../protocol/commitment/document.ts';
import type { DocumentType } from '../../../protocol/commitment/document.ts';
import { sha256Hex, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { readVectors, type Vector } from '../../support/vectors.ts';
import { CAMPAIGN, digestNamed } from '../plan/plans.ts';

interface ListVector extends Vector {
  readonly list: string;
  readonly sha256?: string;
  readonly names?: readonly string[];
  readonly code?: string;
}

const documentOf = (type: DocumentType, text: string): Uint8Array =>
  encodeDocument({
    type,
    campaign: CAMPAIGN,
    nonce: digestNamed(`nonce of ${text}`),
    body: utf8Encode(text),
  });

const notice = documentOf('notice', 'be ready at T0\n');
const release = documentOf('release', '{}\n');
const list = encodeCommitment([
  { name: 'release.txt', sha256: documentDigest(release) },
  { name: 'notice.txt', sha256: documentDigest(notice) },
]);
const commitment = commitmentDigest(list);

describe('COMMITMENT', () => {
  for (const { name, list, sha256, names } of readVectors('commitment', 'valid') as ListVector[]) {
    it(`is accepted: ${name}`, () => {
      const bytes = utf8Encode(list);
      const entries = parseCommitment(bytes);
      assert.deepEqual(
        entries.map((entry) => entry.name),
        names,
      );
      assert.equal(commitmentDigest(bytes), sha256);
      assert.deepEqual(encodeCommitment(entries.toReversed()), bytes);
    });
  }

  for (const { name, list, code } of readVectors('commitment', 'invalid') as ListVector[]) {
    it(`is refused: ${name}`, () => {
      assert.throws(() => parseCommitment(utf8Encode(list)), { code });
    });
  }

  it('is refused above its size, before it is looked at', () => {
    assert.throws(() => parseCommitment(new Uint8Array(131_001)), { code: 'too_large' });
  });

  it('is never written with a name twice or without an entry', () => {
    const entry = { name: 'a.txt', sha256: digestNamed('a') };
    for (const entries of [
      [],
      [entry, entry],
      [{ ...entry, name: '../a' }],
      [{ ...entry, name: `a\n${entry.sha256}  b` }],
    ]) {
      assert.throws(() => encodeCommitment(entries), { code: 'document_invalid' });
    }
  });

  it('is called COMMITMENT, later COMMITMENT.r2, which sorts before every document', () => {
    assert.equal(commitmentName(1), 'COMMITMENT');
    const entries = [
      { name: '0.txt', sha256: digestNamed('0') },
      { name: commitmentName(2), sha256: digestNamed('list') },
    ];
    assert.equal(parseCommitment(encodeCommitment(entries))[1]?.name, 'COMMITMENT.r2');
    const named = [{ name: 'a.txt', sha256: digestNamed('0') }, ...entries.slice(1)];
    assert.equal(parseCommitment(encodeCommitment(named))[0]?.name, 'COMMITMENT.r2');
  });
});

describe('verifyOpening', () => {
  it('returns the document that was committed to', () => {
    const opened = verifyOpening(commitment, list, 'notice.txt', notice);
    assert.deepEqual(opened, parseDocument(notice));
  });

  const refused = (code: string, ...args: Parameters<typeof verifyOpening>): void => {
    assert.throws(() => verifyOpening(...args), { code });
  };

  it('refuses a list that is not the one made public, even by one byte', () => {
    const other = encodeCommitment([{ name: 'notice.txt', sha256: documentDigest(notice) }]);
    refused('commitment_mismatch', commitment, other, 'notice.txt', notice);
    refused('commitment_mismatch', commitment, Buffer.from([...list, 10]), 'notice.txt', notice);
    refused('commitment_mismatch', commitment.toUpperCase(), list, 'notice.txt', notice);
  });

  it('refuses a document with one bit flipped, at any place', () => {
    for (const index of notice.keys()) {
      const flipped = notice.slice();
      flipped[index] = (flipped[index] ?? 0) ^ 1;
      refused('commitment_mismatch', commitment, list, 'notice.txt', flipped);
    }
  });

  it('refuses a document under the name of another, or under a name that is not listed', () => {
    refused('commitment_mismatch', commitment, list, 'notice.txt', release);
    refused('commitment_mismatch', commitment, list, 'disclosure.md', notice);
    refused('commitment_mismatch', commitment, list, '__proto__', notice);
  });

  it('refuses what was committed to but is no sealed document, or of another type', () => {
    const bare = utf8Encode('guessable\n');
    for (const document of [bare, documentOf('plan', 'x'), documentOf('share', 'x')]) {
      const bytes = encodeCommitment([{ name: 'notice.txt', sha256: sha256Hex(document) }]);
      refused('document_invalid', commitmentDigest(bytes), bytes, 'notice.txt', document);
    }
  });
});
