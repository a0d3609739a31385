import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import {
  encodeSnapshot,
  MAX_SNAPSHOT_BYTES,
  parseLamports,
  parseSnapshot,
  parseStake,
  snapshotDigest,
} from '../../../protocol/stake/snapshot.ts';
import type { SnapshotRow, StakeTable } from '../../../protocol/stake/snapshot.ts';
import { readVectors, type Vector } from '../../support/vectors.ts';
import { NETWORK } from '../trust/network.ts';
import { identityNamed } from './identities.ts';

interface AmountVector extends Vector {
  readonly text: string;
  readonly code?: string;
}

interface SnapshotVector extends Vector {
  readonly snapshot: string;
  readonly sha256?: string;
  readonly total?: string;
  readonly stakes?: Readonly<Record<string, string>>;
  readonly code?: string;
}

const ALMOST_DIGITS = '0123456789 +-.eExX_\u0663'.split('');
const MAX_U64 = 2n ** 64n - 1n;
const row = (identity: string, vote: string, stake: bigint): SnapshotRow => ({
  identity: identityNamed(identity),
  voteAccount: identityNamed(`vote ${vote}`),
  stake,
});
const table = (...rows: readonly SnapshotRow[]): StakeTable => ({
  network: NETWORK,
  point: 'epoch 650',
  source: 'a test',
  rows,
});

describe('an amount of stake', () => {
  for (const { name, text } of readVectors('stake-amount', 'valid') as AmountVector[]) {
    it(`is exact: ${name}`, () => {
      assert.equal(String(parseStake(text)), text);
    });
  }

  for (const { name, text, code } of readVectors('stake-amount', 'invalid') as AmountVector[]) {
    it(`is refused: ${name}`, () => {
      assert.throws(() => parseStake(text), { code });
      assert.throws(() => parseLamports(text), { code });
    });
  }

  it('of lamports fits an unsigned 64-bit integer', () => {
    assert.equal(parseLamports(String(MAX_U64)), MAX_U64);
    assert.throws(() => parseLamports(String(MAX_U64 + 1n)), { code: 'stake_invalid' });
  });

  it('is refused unless digits alone, whatever the text (property)', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...ALMOST_DIGITS) }), (text) => {
        try {
          assert.equal(String(parseStake(text)), text);
        } catch (error) {
          assert.doesNotMatch(text, /^(0|[1-9][0-9]*)$/);
          assert.equal((error as { code?: string }).code, 'stake_invalid');
        }
      }),
    );
  });
});

describe('a stake snapshot', () => {
  for (const vector of readVectors('stake-snapshot', 'valid') as SnapshotVector[]) {
    it(`is accepted, summed and written alike: ${vector.name}`, () => {
      const bytes = utf8Encode(vector.snapshot);
      const snapshot = parseSnapshot(bytes);
      const stakes = [...snapshot.stakes].map(([identity, stake]) => [identity, String(stake)]);
      assert.deepEqual(Object.fromEntries(stakes), vector.stakes);
      assert.equal(String(snapshot.total), vector.total);
      assert.equal(snapshotDigest(bytes), vector.sha256);
      assert.deepEqual(encodeSnapshot(snapshot), bytes);
    });
  }

  for (const { name, snapshot, code } of readVectors(
    'stake-snapshot',
    'invalid',
  ) as SnapshotVector[]) {
    it(`is refused: ${name}`, () => {
      assert.throws(() => parseSnapshot(utf8Encode(snapshot)), { code });
    });
  }

  it('sums beyond 64 bits exactly, one identity over many vote accounts', () => {
    const rows = Array.from({ length: 5 }, (_, i) => row('whale', String(i), MAX_U64));
    const { total, stakes } = parseSnapshot(encodeSnapshot(table(...rows, row('b', 'b', 1n))));
    assert.equal(stakes.get(identityNamed('whale')), 5n * MAX_U64);
    assert.equal(total, 5n * MAX_U64 + 1n);
  });

  it('is the same file whatever the order of its rows (property)', () => {
    const rows = Array.from({ length: 8 }, (_, i) => row(String(i % 3), String(i), BigInt(i)));
    const bytes = encodeSnapshot(table(...rows));
    fc.assert(
      fc.property(fc.shuffledSubarray(rows, { minLength: 8 }), (shuffled) => {
        assert.deepEqual(encodeSnapshot(table(...shuffled)), bytes);
      }),
      { numRuns: 30 },
    );
  });

  it('is never written with what could not be read back', () => {
    const good = row('a', 'a', 1n);
    const other = row('b', 'b', 1n);
    const lines = `${other.identity} ${other.voteAccount} 5\n${good.identity}`;
    for (const [code, flawed] of [
      ['snapshot_invalid', table()],
      ['snapshot_invalid', table(good, good)],
      ['snapshot_invalid', table({ ...good, identity: '' })],
      ['snapshot_invalid', table({ ...good, identity: lines, voteAccount: 'z' })],
      ['snapshot_invalid', table({ ...good, identity: lines })],
      ['stake_invalid', table({ ...good, stake: -1n })],
      ['stake_invalid', table({ ...good, stake: MAX_U64 + 1n })],
      ['snapshot_invalid', { ...table(good), point: 'a\nb' }],
      ['snapshot_invalid', { ...table(good), point: 'epoch 1\nsource: x' }],
      ['snapshot_invalid', { ...table(good), source: '' }],
      ['snapshot_invalid', { ...table(good), source: ' x' }],
      ['snapshot_invalid', { ...table(good), network: 'solana:x' }],
    ] as const) {
      assert.throws(() => encodeSnapshot(flawed), { code });
    }
  });

  it('is refused above 32 MiB before it is looked at', () => {
    assert.throws(() => parseSnapshot(new Uint8Array(MAX_SNAPSHOT_BYTES + 1)), {
      code: 'too_large',
    });
  });

  it('has one encoding only, whatever byte is changed (property)', () => {
    const bytes = encodeSnapshot(table(row('a', 'a', 10n), row('b', 'b', 20n)));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const changed = bytes.slice();
        changed[at] = (changed[at] ?? 0) ^ by;
        let snapshot;
        try {
          snapshot = parseSnapshot(changed);
        } catch {
          return;
        }
        assert.equal(utf8Decode(encodeSnapshot(snapshot)), utf8Decode(changed));
      }),
    );
  });
});
