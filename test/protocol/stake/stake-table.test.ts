import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { isReached } from '../../../protocol/stake/milestone.ts';
import { parseStakeTable } from '../../../protocol/stake/stake-table.ts';
import { identityNamed } from './identities.ts';

interface Fixture {
  readonly rows: readonly (readonly [string, string, number, number])[];
  readonly stats: {
    readonly staked: number;
    readonly total: string;
    readonly largest: string;
    readonly median: string;
    readonly smallest: string;
    readonly above_2_53: number;
    readonly fewest_validators_for: Readonly<Record<string, number>>;
  };
}

const TABLE = new URL('../../../data/solana-mainnet-epoch650.txt', import.meta.url);
const FIXTURE = new URL(
  '../../../../shared/fixtures/solana/mainnet-epoch650-stakes.json',
  import.meta.url,
);

const rows = parseStakeTable(readFileSync(TABLE));
const total = rows.reduce((sum, { stake }) => sum + stake, 0n);

/** The smallest number of the largest validators that reaches a share of all stake. */
function fewestFor(num: number, den: number, strict: boolean): number {
  let sum = 0n;
  return 1 + rows.findIndex(({ stake }) => isReached({ num, den, strict }, (sum += stake), total));
}

describe('the stake of Solana at epoch 650', () => {
  it('is 1,584 vote accounts and 379,907,716.727527964 SOL', () => {
    assert.equal(rows.length, 1584);
    assert.equal(total, 379_907_716_727_527_964n);
  });

  it('is listed largest first, all above zero', () => {
    assert.ok(rows.every(({ stake }, i) => stake > 0n && stake <= (rows[i - 1]?.stake ?? stake)));
    assert.equal(rows[0]?.stake, 13_116_844_288_783_457n);
  });

  it('can be halted by 19 validators, and carried by no fewer than 69', () => {
    assert.equal(fewestFor(1, 3, true), 19);
    assert.equal(fewestFor(1, 2, true), 38);
    assert.equal(fewestFor(2, 3, true), 69);
    assert.equal(fewestFor(4, 5, false), 157);
    assert.equal(fewestFor(9, 10, true), 381);
  });

  it('could not be summed in floating point', () => {
    const sum = rows.reduce((float, { stake }) => float + Number(stake), 0);
    assert.notEqual(BigInt(sum), total);
    assert.equal(rows.filter(({ stake }) => stake > 2n ** 53n).length, 4);
  });

  it('is the table of the source, row by row', (t) => {
    if (!existsSync(FIXTURE)) {
      t.skip('../shared/fixtures/solana/mainnet-epoch650-stakes.json is not here');
      return;
    }
    const fixture = JSON.parse(readFileSync(FIXTURE, 'utf8')) as Fixture;
    assert.deepEqual(
      rows.map(({ account, stake }) => `${account} ${String(stake)}`),
      fixture.rows.map(([account, stake]) => `${account} ${stake}`),
    );
    const { stats } = fixture;
    assert.equal(rows.length, stats.staked);
    assert.equal(String(total), stats.total);
    assert.equal(String(rows[0]?.stake), stats.largest);
    assert.equal(String(rows.at(-1)?.stake), stats.smallest);
    assert.deepEqual(stats.fewest_validators_for, {
      gt_1_3: fewestFor(1, 3, true),
      gt_1_2: fewestFor(1, 2, true),
      gt_2_3: fewestFor(2, 3, true),
      gte_80pct: fewestFor(4, 5, false),
      gt_90pct: fewestFor(9, 10, true),
    });
  });
});

describe('parseStakeTable', () => {
  const [a, b] = [identityNamed('a'), identityNamed('b')];

  it('skips the comment at the top, and keeps the order', () => {
    const table = parseStakeTable(utf8Encode(`# from somewhere\n# once\n${b} 2\n${a} 1\n`));
    assert.deepEqual(table, [
      { account: b, stake: 2n },
      { account: a, stake: 1n },
    ]);
    assert.deepEqual(parseStakeTable(utf8Encode('# nothing\n')), []);
  });

  const cases: Readonly<Record<string, readonly [string, string]>> = {
    'no final newline': ['snapshot_invalid', `${a} 1`],
    'a blank line': ['snapshot_invalid', `${a} 1\n\n`],
    'a comment among the rows': ['snapshot_invalid', `${a} 1\n# note\n${b} 1\n`],
    'an account twice': ['snapshot_invalid', `${a} 1\n${a} 1\n`],
    'three fields': ['snapshot_invalid', `${a} ${b} 1\n`],
    'no amount': ['snapshot_invalid', `${a}\n`],
    'an account that is no address': ['snapshot_invalid', 'vote 1\n'],
    'an amount with an exponent': ['stake_invalid', `${a} 1e9\n`],
    'an amount above 64 bits': ['stake_invalid', `${a} ${String(2n ** 64n)}\n`],
    'carriage returns': ['stake_invalid', `${a} 1\r\n`],
  };
  for (const [flaw, [code, text]] of Object.entries(cases)) {
    it(`refuses ${flaw}`, () => {
      assert.throws(() => parseStakeTable(utf8Encode(text)), { code });
    });
  }
});
