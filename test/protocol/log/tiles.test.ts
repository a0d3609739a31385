import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { concatBytes, toHex, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { leafHash, rootOf } from '../../../protocol/log/merkle.ts';
import { formatTilePath, parseTilePath } from '../../../protocol/log/tile-path.ts';
import { isTileOf, tilesForGrowth, tilesOf, tileWidth } from '../../../protocol/log/tiles.ts';
import type { Tile } from '../../../protocol/log/tile-path.ts';
import type { ReadTile } from '../../../protocol/log/tiles.ts';
import { readVectors } from '../../support/vectors.ts';
import type { Vector } from '../../support/vectors.ts';

type ValidPath = Vector & Tile & { readonly path: string };
type InvalidPath = Vector & { readonly path: string; readonly code: string };

describe('tile paths', () => {
  for (const { name, path, ...tile } of readVectors('log-tile-path', 'valid') as ValidPath[]) {
    it(`are written and read: ${name}`, () => {
      assert.equal(formatTilePath(tile), path);
      assert.deepEqual(parseTilePath(path), tile);
    });
  }

  it('read back as the tile they were made from (property)', () => {
    const tile = fc.record<Tile>(
      {
        level: fc.oneof(fc.nat(63), fc.constant('entries' as const)),
        index: fc.oneof(fc.nat(2000), fc.maxSafeNat()),
        width: fc.integer({ min: 1, max: 256 }),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(tile, (tile) => {
        assert.deepEqual(parseTilePath(formatTilePath(tile)), tile);
      }),
    );
  });

  for (const { name, path, code } of readVectors('log-tile-path', 'invalid') as InvalidPath[]) {
    it(`have no other spelling: ${name}`, () => {
      assert.throws(() => parseTilePath(path), { code });
    });
  }
});

describe('tiles of a tree', () => {
  const count = (size: number, level: Tile['level']): number[] =>
    [...tilesOf(size)].filter((tile) => tile.level === level).map(({ width }) => width);

  it('are those of the specification for 256 and for 70,000 leaves', () => {
    assert.deepEqual([...tilesOf(0)], []);
    assert.deepEqual([...tilesOf(256)].map(formatTilePath), [
      'tile/0/000',
      'tile/1/000.p/1',
      'tile/entries/000',
    ]);
    const [full, partial] = [Array<number>(273).fill(256), 112];
    assert.deepEqual(count(70_000, 0), [...full, partial]);
    assert.deepEqual(count(70_000, 1), [256, 17]);
    assert.deepEqual(count(70_000, 2), [1]);
    assert.deepEqual(count(70_000, 'entries'), [...full, partial]);
  });

  it('end where the tree ends', () => {
    assert.equal(tileWidth(0, 273, 70_000), 112);
    assert.equal(tileWidth(0, 274, 70_000), 0);
    assert.ok(isTileOf({ level: 0, index: 273, width: 112 }, 70_000));
    assert.ok(isTileOf({ level: 0, index: 273, width: 5 }, 70_000));
    assert.ok(!isTileOf({ level: 0, index: 273, width: 113 }, 70_000));
    assert.ok(!isTileOf({ level: 1, index: 1, width: 18 }, 70_000));
    assert.ok(!isTileOf({ level: 3, index: 0, width: 1 }, 70_000));
    assert.ok(!isTileOf({ level: 63, index: Number.MAX_SAFE_INTEGER, width: 1 }, 70_000));
  });
});

describe('growing a log', () => {
  const leaves = Array.from({ length: 70_000 }, (_, i) => leafHash(utf8Encode(`leaf ${i}`)));

  /** The bytes a tile must have, straight from the definition. */
  const expected = ({ level, index, width }: Tile): string => {
    const span = 256 ** Number(level);
    const hashes = Array.from({ length: width }, (_, i) => {
      const start = (index * 256 + i) * span;
      return rootOf(leaves.slice(start, start + span));
    });
    return toHex(concatBytes(...hashes));
  };

  it('by random batches stores what building it at once stores (property)', async () => {
    const atOnce = new Map<string, string>();
    for (const { tile, bytes } of await tilesForGrowth(0, leaves, unread)) {
      atOnce.set(`${tile.level}/${tile.index}`, toHex(bytes));
    }
    const batch = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 200, max: 9000 }));
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 12 }), async (batches) => {
        const stored = new Map<string, Uint8Array>();
        let size = 0;
        for (const length of batches) {
          const grown = Math.min(size + length, leaves.length);
          const files = await tilesForGrowth(size, leaves.slice(size, grown), readFrom(stored));
          for (const { tile, bytes } of files) {
            assert.equal(bytes.length, tile.width * 32);
            stored.set(formatTilePath(tile), bytes);
          }
          size = grown;
          for (const tile of tilesOf(size)) {
            if (tile.level === 'entries') continue;
            const bytes = stored.get(formatTilePath(tile));
            assert.ok(bytes, `${formatTilePath(tile)} at size ${size}`);
            const whole = atOnce.get(`${tile.level}/${tile.index}`);
            assert.equal(toHex(bytes), whole?.slice(0, tile.width * 64));
          }
        }
      }),
      { numRuns: 25 },
    );
  });

  it('gives every tile the hashes of its definition, whole subtrees only', async () => {
    for (const [before, after] of [
      [0, 1],
      [1, 255],
      [255, 256],
      [256, 257],
      [257, 600],
      [600, 65_535],
      [65_535, 65_536],
      [65_536, 65_793],
      [65_793, 70_000],
    ] as const) {
      const files = await tilesForGrowth(
        before,
        leaves.slice(before, after),
        (level, index, width) =>
          Uint8Array.from(Buffer.from(expected({ level, index, width }), 'hex')),
      );
      for (const { tile, bytes } of files) {
        assert.ok(isTileOf(tile, after));
        assert.equal(toHex(bytes), expected(tile), formatTilePath(tile));
      }
      const stored = files.map(({ tile }) => formatTilePath(tile));
      const missing = [...tilesOf(after)].filter(
        (tile) =>
          tile.level !== 'entries' &&
          !isTileOf(tile, before) &&
          !stored.includes(formatTilePath(tile)),
      );
      assert.deepEqual(missing, []);
    }
  });

  it('stores nothing, and no empty tile, when there is nothing new', async () => {
    assert.deepEqual(await tilesForGrowth(0, [], unread), []);
    assert.deepEqual(await tilesForGrowth(300, [], unread), []);
    assert.deepEqual(await tilesForGrowth(512, [], unread), []);
  });

  it('refuses a stored tile of another length', async () => {
    const growth = tilesForGrowth(2, leaves.slice(2, 3), () => new Uint8Array(63));
    await assert.rejects(growth, { code: 'proof_invalid' });
  });
});

const unread: ReadTile = () => assert.fail('no tile to read');

function readFrom(stored: ReadonlyMap<string, Uint8Array>): ReadTile {
  return (level, index, width) => {
    const path = formatTilePath({ level, index, width });
    return stored.get(path) ?? assert.fail(`no ${path}`);
  };
}
