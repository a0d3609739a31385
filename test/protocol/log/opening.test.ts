import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { sha256Hex, utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { formatLeaf } from '../../../protocol/log/leaf.ts';
import {
  encodeOpening,
  NO_CAMPAIGN,
  OPENING_KINDS,
  parseOpening,
  sealedLeaf,
} from '../../../protocol/log/opening.ts';
import type { Opening } from '../../../protocol/log/opening.ts';
import { readVectors } from '../../support/vectors.ts';
import type { Vector } from '../../support/vectors.ts';

type Valid = Vector &
  Omit<Opening, 'content'> & {
    readonly opening: string;
    readonly content: string;
    readonly leaf: string;
  };
type Invalid = Vector & { readonly opening: string; readonly code: string };

const opening: Opening = {
  campaign: 'SDX-2026-7KQ4',
  nonce: '0123456789abcdef'.repeat(4),
  kind: 'release-key',
  content: utf8Encode('{"payload":"…"}'),
};

describe('openings', () => {
  it('are sealed documents whose SHA-256 stands in the leaf', () => {
    const bytes = encodeOpening(opening);
    assert.equal(
      utf8Decode(bytes),
      'sealdrop-document/v1\ntype: opening\ncampaign: SDX-2026-7KQ4\n' +
        `nonce: ${opening.nonce}\n\nrelease-key\n{"payload":"…"}`,
    );
    assert.equal(formatLeaf(sealedLeaf(bytes)), `sealed/v1 ${sha256Hex(bytes)}\n`);
  });

  for (const vector of readVectors('opening', 'valid') as Valid[]) {
    it(`are written and read: ${vector.name}`, () => {
      const { opening, campaign, nonce, kind, leaf } = vector;
      const content = utf8Encode(vector.content);
      const bytes = utf8Encode(opening);
      assert.deepEqual(parseOpening(bytes), { campaign, nonce, kind, content });
      assert.deepEqual(encodeOpening({ campaign, nonce, kind, content }), bytes);
      assert.equal(formatLeaf(sealedLeaf(bytes)), leaf);
    });
  }

  for (const { name, opening, code } of readVectors('opening', 'invalid') as Invalid[]) {
    it(`are refused: ${name}`, () => {
      assert.throws(() => parseOpening(utf8Encode(opening)), { code });
    });
  }

  it('read back as they were written, whatever the content (property)', () => {
    const content = fc.uint8Array({ maxLength: 300 }).filter((bytes) => !bytes.includes(13));
    fc.assert(
      fc.property(fc.constantFrom(...OPENING_KINDS), content, (kind, content) => {
        const isOfNone = kind === 'enrolment' || kind === 'endorsement';
        const campaign = isOfNone ? NO_CAMPAIGN : opening.campaign;
        const parsed = parseOpening(encodeOpening({ ...opening, campaign, kind, content }));
        assert.deepEqual(parsed, { ...opening, campaign, kind, content });
      }),
    );
  });

  it('belong to a campaign, except enrolments and endorsements, which tell of none', () => {
    for (const wrong of [
      { ...opening, campaign: NO_CAMPAIGN },
      { ...opening, kind: 'enrolment' } as const,
      { ...opening, kind: 'endorsement' } as const,
    ]) {
      assert.throws(() => encodeOpening(wrong), { code: 'leaf_invalid' });
    }
  });
});
