import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { toHex, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { formatLeaf, parseLeaf } from '../../../protocol/log/leaf.ts';
import type { Leaf } from '../../../protocol/log/leaf.ts';
import { leafHash } from '../../../protocol/log/merkle.ts';
import { readVectors } from '../../support/vectors.ts';
import type { Vector } from '../../support/vectors.ts';

const HEX = '5d3cf5f59e168a8cbbf9c71022453761605fc7c6466d7ca9a8a871031465b2c9';

type ValidLeaf = Vector & { readonly text: string; readonly leaf: Leaf; readonly leafHash: string };
type InvalidLeaf = Vector & { readonly text: string; readonly code: string };

describe('leaves', () => {
  for (const { name, text, leaf, leafHash: hash } of readVectors(
    'log-leaf',
    'valid',
  ) as ValidLeaf[]) {
    it(`are written and read: ${name}`, () => {
      assert.equal(formatLeaf(leaf), text);
      assert.deepEqual(parseLeaf(text), leaf);
      assert.equal(toHex(leafHash(utf8Encode(text))), hash);
    });
  }

  it('tell nothing by their length when sealed: 75 bytes, always', () => {
    const sealed = utf8Encode(formatLeaf({ type: 'sealed', sha256: HEX }));
    assert.equal(sealed.length, 75);
    assert.equal(
      toHex(leafHash(sealed)),
      '1c37041582b00399402432a7f0f1ea96ac8dcaf2355cc7067d2a15641c5ddf2d',
    );
  });

  for (const { name, text, code } of readVectors('log-leaf', 'invalid') as InvalidLeaf[]) {
    it(`have no other text: ${name}`, () => {
      assert.throws(() => parseLeaf(text), { code });
    });
  }

  it('are not written with a field that could not be read', () => {
    for (const leaf of [
      { type: 'sealed', sha256: `${HEX}\nopened/v1 1` },
      { type: 'sealed', sha256: '' },
      { type: 'root', version: 0, sha256: HEX },
      { type: 'opened', index: 1e21 },
      { type: 'dummy', first: -1, last: 1 },
      { type: 'dummy', first: 2, last: 1 },
      { type: 'withheld', first: 1, last: 1, reason: 'because of Bob' },
    ] satisfies Leaf[]) {
      assert.throws(() => formatLeaf(leaf), { code: 'leaf_invalid' });
    }
  });
});
