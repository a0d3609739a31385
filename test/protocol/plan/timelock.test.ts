import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { concatBytes, fromHex, sha256Hex, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { findChain, QUICKNET, roundAt, timeOfRound } from '../../../protocol/plan/timelock.ts';
import { localChain } from '../embargo/drand.ts';

describe('the round of a time', () => {
  const genesis = QUICKNET.genesisTime * 1000;

  it('is the first that is signed then or later, at every boundary', () => {
    const cases: readonly (readonly [time: number, round: number])[] = [
      [genesis - 86_400_000, 1],
      [genesis - 1, 1],
      [genesis, 1],
      [genesis + 1, 2],
      [genesis + 2_999, 2],
      [genesis + 3_000, 2],
      [genesis + 3_001, 3],
      [genesis + 999 * 3_000, 1000],
      [genesis + 999 * 3_000 + 1, 1001],
      [Date.parse('2023-08-23T15:59:24Z'), 1000],
      [Date.parse('2023-08-23T15:59:25Z'), 1001],
    ];
    for (const [time, round] of cases) assert.equal(roundAt(QUICKNET, time), round, String(time));
  });

  it('is never before the time, and never a whole period after it', () => {
    const far = Date.parse('9999-12-31T23:59:59Z');
    for (const start of [genesis, Date.parse('2026-11-20T14:00:00Z'), far - 10_000]) {
      for (let time = start; time < start + 10_000; time += 250) {
        const late = timeOfRound(QUICKNET, roundAt(QUICKNET, time)) - time;
        assert.ok(late >= 0 && late < 3000, `${time}: ${late} ms`);
      }
    }
  });

  it('is of the one chain that is pinned, whose hash is that of its own parameters', () => {
    assert.equal(findChain(QUICKNET.hash), QUICKNET);
    assert.equal(findChain(localChain().hash), undefined);
    const head = new Uint8Array(12);
    const view = new DataView(head.buffer);
    view.setUint32(0, QUICKNET.period);
    view.setBigInt64(4, BigInt(QUICKNET.genesisTime));
    const group = 'f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e';
    const parameters = [head, fromHex(QUICKNET.publicKey, 96), fromHex(group, 32)];
    const hash = sha256Hex(concatBytes(...parameters, utf8Encode('quicknet')));
    assert.equal(hash, QUICKNET.hash);
  });
});
