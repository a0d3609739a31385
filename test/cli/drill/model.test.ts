import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { buildModel, type Model } from '../../../cli/drill/model.ts';
import { parseStakeTable } from '../../../protocol/stake/stake-table.ts';

const rows = parseStakeTable(
  await readFile(new URL('../../../data/solana-mainnet-epoch650.txt', import.meta.url)),
);

function secondsToSupermajority(model: Model): number | undefined {
  let adopted = 0n;
  const byDelay = model.operators
    .flatMap(({ patchedAfter, stake }) =>
      patchedAfter === undefined ? [] : [{ patchedAfter, stake }],
    )
    .sort((a, b) => a.patchedAfter - b.patchedAfter);
  for (const { patchedAfter, stake } of byDelay) {
    adopted += stake;
    if (adopted * 3n > model.totalStake * 2n) return patchedAfter;
  }
  return undefined;
}

describe('buildModel', () => {
  it('keeps every real stake of the epoch, to the lamport', () => {
    const model = buildModel(rows, rows.length, 'a');
    const stakes = model.operators.flatMap(({ validators }) =>
      validators.map(({ stake }) => stake),
    );
    assert.equal(stakes.length, 1584);
    assert.equal(model.totalStake, 379907716727527964n);
    assert.deepEqual(stakes.toSorted(compare), rows.map(({ stake }) => stake).toSorted(compare));
  });

  it('has about 400 operators, some with several validators', () => {
    const { operators } = buildModel(rows, rows.length, 'a');
    assert.ok(operators.length >= 380 && operators.length <= 420, `${operators.length} operators`);
    assert.ok(operators.some(({ validators }) => validators.length > 3));
    assert.ok(operators.every(({ validators }) => validators.length > 0));
  });

  it('is the same for the same seed and another for another', () => {
    const small = (seed: string): Model => buildModel(rows, 40, seed);
    assert.deepEqual(small('a'), small('a'));
    assert.notDeepEqual(small('a'), small('b'));
  });

  it('reaches two thirds of stake within the day, whatever the seed and size', () => {
    for (const seed of ['a', 'b', 'c', 'd']) {
      for (const size of [20, 120, 400]) {
        const seconds = secondsToSupermajority(buildModel(rows, size, seed));
        assert.ok(seconds !== undefined, `seed ${seed}, ${size} validators`);
      }
    }
  });

  it('gives every validator keys of its own', () => {
    const { operators } = buildModel(rows, 200, 'a');
    const all = operators.flatMap(({ validators }) => validators);
    assert.equal(new Set(all.map(({ identity }) => identity)).size, 200);
    assert.equal(new Set(all.map(({ voteAccount }) => voteAccount)).size, 200);
  });
});

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
