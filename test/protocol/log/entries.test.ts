import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { fromHex, toHex, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { encodeEntries, entriesForGrowth, parseEntries } from '../../../protocol/log/entries.ts';
import { formatTilePath } from '../../../protocol/log/tile-path.ts';
import { readVectors } from '../../support/vectors.ts';
import type { Vector } from '../../support/vectors.ts';

type Bundle = Vector & { readonly bundle: string; readonly width: number };
type Valid = Bundle & { readonly entries: readonly string[] };
type Invalid = Bundle & { readonly code: string };

const bytes = (hex: string): Uint8Array => fromHex(hex, hex.length / 2);

describe('entry bundles', () => {
  for (const { name, bundle, width, entries } of readVectors('log-entries', 'valid') as Valid[]) {
    it(`are written and read: ${name}`, () => {
      const leaves = entries.map(bytes);
      assert.equal(toHex(encodeEntries(leaves)), bundle);
      assert.deepEqual(parseEntries(bytes(bundle), width), leaves);
    });
  }

  for (const { name, bundle, width, code } of readVectors('log-entries', 'invalid') as Invalid[]) {
    it(`are refused: ${name}`, () => {
      assert.throws(() => parseEntries(bytes(bundle), width), { code });
    });
  }

  it('read back as the entries they were made from (property)', () => {
    const entries = fc.array(fc.uint8Array({ maxLength: 700 }), { minLength: 1, maxLength: 256 });
    fc.assert(
      fc.property(entries, (entries) => {
        const parsed = parseEntries(encodeEntries(entries), entries.length);
        assert.deepEqual(parsed.map(toHex), entries.map(toHex));
      }),
    );
  });

  it('take entries up to 65,535 bytes', () => {
    const longest = new Uint8Array(65_535).fill(7);
    assert.deepEqual(parseEntries(encodeEntries([longest]), 1), [longest]);
    assert.throws(() => encodeEntries([new Uint8Array(65_536)]), { code: 'too_large' });
  });

  it('grow by random batches into what building them at once gives (property)', async () => {
    const leaves = Array.from({ length: 1200 }, (_, i) => utf8Encode(`leaf ${i}`));
    const batches = fc.array(fc.nat(400), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(batches, async (batches) => {
        const stored = new Map<string, Uint8Array>();
        const read = (index: number, width: number): Uint8Array =>
          stored.get(formatTilePath({ level: 'entries', index, width })) ??
          assert.fail('no bundle');
        let size = 0;
        for (const length of batches) {
          const added = leaves.slice(size, size + length);
          for (const { tile, bytes } of await entriesForGrowth(size, added, read)) {
            stored.set(formatTilePath(tile), bytes);
          }
          size += added.length;
        }
        const unread = (): never => assert.fail('no bundle to read');
        for (const { tile, bytes } of await entriesForGrowth(0, leaves.slice(0, size), unread)) {
          assert.deepEqual(stored.get(formatTilePath(tile)), bytes);
        }
      }),
    );
  });
});
