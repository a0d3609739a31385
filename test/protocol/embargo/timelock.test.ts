import { Encrypter, Stanza } from 'age-encryption';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultChainInfo, timelockDecrypt, timelockEncrypt, type HttpChainClient } from 'tlock-js';
import { encryptOnG2RFC9380 } from 'tlock-js/crypto/ibe.js';
import { generateKey, open, seal } from '../../../protocol/embargo/age.ts';
import { MAX_BEACON_BYTES, readBeacon, roundDigest } from '../../../protocol/embargo/beacon.ts';
import { lock, readLock, unlock } from '../../../protocol/embargo/lock.ts';
import { findChain, QUICKNET, roundAt, timeOfRound } from '../../../protocol/embargo/timelock.ts';
import {
  concatBytes,
  fromHex,
  sha256Hex,
  utf8Decode,
  utf8Encode,
} from '../../../protocol/encoding/bytes.ts';
import { beaconJson, localChain, QUICKNET_ROUNDS } from './drand.ts';

const chain = localChain();
const SECRET = utf8Encode('the share');

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
    assert.equal(findChain(chain.hash), undefined);
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

describe('a beacon', () => {
  it('is accepted as quicknet signed it, from the old interface and the new', () => {
    for (const [round, signature] of QUICKNET_ROUNDS) {
      assert.equal(readBeacon(beaconJson(round, signature), QUICKNET, round).round, round);
    }
    const [[round, signature]] = QUICKNET_ROUNDS as [[number, string]];
    const bare = utf8Encode(JSON.stringify({ round, signature }));
    assert.equal(readBeacon(bare, QUICKNET, round).chain, QUICKNET.hash);
  });

  it('is refused when it is of another round, whatever it says', () => {
    const [[first, signature], [second]] = QUICKNET_ROUNDS as [[number, string], [number, string]];
    const before = beaconJson(first, signature);
    assert.throws(() => readBeacon(before, QUICKNET, second), { code: 'beacon_invalid' });
    const renamed = beaconJson(second, signature);
    assert.throws(() => readBeacon(renamed, QUICKNET, second), { code: 'beacon_invalid' });
  });

  it('is refused when anything of its signature was changed, and from another chain', () => {
    const [[round, signature]] = QUICKNET_ROUNDS as [[number, string]];
    const forged = [
      signature.replace(/a$/, 'b'),
      `${signature[0] === '8' ? 'a' : '8'}${signature.slice(1)}`,
      `c0${'0'.repeat(94)}`,
      '0'.repeat(96),
      'f'.repeat(96),
      signature.toUpperCase(),
      signature.slice(2),
      `${signature}00`,
    ];
    for (const other of forged) {
      const bytes = beaconJson(round, other);
      assert.throws(() => readBeacon(bytes, QUICKNET, round), { code: 'beacon_invalid' }, other);
    }
    const elsewhere = chain.sign(round);
    assert.equal(readBeacon(elsewhere, chain, round).round, round);
    assert.throws(() => readBeacon(elsewhere, QUICKNET, round), { code: 'beacon_invalid' });
  });

  it('is read only up to its length, and as JSON of its shape', () => {
    const long = concatBytes(chain.sign(1), new Uint8Array(MAX_BEACON_BYTES).fill(32));
    assert.throws(() => readBeacon(long, chain, 1), { code: 'too_large' });
    assert.throws(() => readBeacon(utf8Encode('<html>'), chain, 1), { code: 'encoding_invalid' });
    for (const json of ['{}', '[]', '{"round":"1","signature":""}', '{"round":1}']) {
      assert.throws(() => readBeacon(utf8Encode(json), chain, 1), { code: 'beacon_invalid' });
    }
  });
});

describe('a locked file', () => {
  it('opens with the beacon of its round, and with no other', async () => {
    const locked = await lock(SECRET, chain, 7);
    assert.deepEqual(await readLock(locked), { chain: chain.hash, round: 7 });
    assert.deepEqual(await unlock(locked, readBeacon(chain.sign(7), chain, 7)), SECRET);
    const early = readBeacon(chain.sign(6), chain, 6);
    await assert.rejects(unlock(locked, early), {
      code: 'timelock_invalid',
      message: 'it is locked to round 7',
    });
    // Nor when the beacon of the round before is passed off as that of the round: cryptography decides.
    await assert.rejects(unlock(locked, { ...early, round: 7 }), {
      code: 'timelock_invalid',
      message: 'the beacon of round 7 does not open it',
    });
  });

  it('opens with a round that quicknet has signed, and not with one signed before', async () => {
    const [, [before, earlier], [round, signature]] = QUICKNET_ROUNDS as [
      unknown,
      [number, string],
      [number, string],
    ];
    const locked = await lock(SECRET, QUICKNET, round);
    const beacon = readBeacon(beaconJson(round, signature), QUICKNET, round);
    assert.deepEqual(await unlock(locked, beacon), SECRET);
    const early = readBeacon(beaconJson(before, earlier), QUICKNET, before);
    await assert.rejects(unlock(locked, { ...early, round }), { code: 'timelock_invalid' });
  });

  it('is not opened by another chain, nor when it lies about its round', async () => {
    const other = localChain('other');
    const locked = await lock(SECRET, chain, 7);
    const foreign = readBeacon(other.sign(7), other, 7);
    await assert.rejects(unlock(locked, foreign), { code: 'timelock_invalid' });
    const header = Buffer.from(locked).toString('latin1').replace('tlock 7 ', 'tlock 8 ');
    const lying = new Uint8Array(Buffer.from(header, 'latin1'));
    assert.deepEqual(await readLock(lying), { chain: chain.hash, round: 8 });
    const beacon = readBeacon(chain.sign(8), chain, 8);
    await assert.rejects(unlock(lying, beacon), { code: 'timelock_invalid' });
  });

  it('is not opened by an age key, and an age file is not locked', async () => {
    const { identity, recipient } = await generateKey();
    const locked = await lock(SECRET, chain, 7);
    await assert.rejects(open(locked, identity), { code: 'bundle_invalid' });
    await assert.rejects(readLock(await seal(SECRET, [recipient])), { code: 'timelock_invalid' });
    await assert.rejects(readLock(SECRET), { code: 'timelock_invalid' });
    await assert.rejects(readLock(new Uint8Array()), { code: 'timelock_invalid' });
  });

  it('is refused when somebody can open it besides', async () => {
    const { identity, recipient } = await generateKey();
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    encrypter.addRecipient({
      async wrapFileKey(fileKey) {
        const key = fromHex(chain.publicKey, 96);
        const { U, V, W } = await encryptOnG2RFC9380(key, roundDigest(7), fileKey);
        return [new Stanza(['tlock', '7', chain.hash], concatBytes(U, V, W))];
      },
    });
    const locked = await encrypter.encrypt(SECRET);
    assert.deepEqual(await open(locked, identity), SECRET);
    await assert.rejects(readLock(locked), { code: 'timelock_invalid' });
    const beacon = readBeacon(chain.sign(7), chain, 7);
    await assert.rejects(unlock(locked, beacon), { code: 'timelock_invalid' });
  });

  it('is what tlock-js itself writes and reads', async (t) => {
    const [, , [round, signature]] = QUICKNET_ROUNDS as [unknown, unknown, [number, string]];
    const answer = utf8Decode(beaconJson(round, signature));
    const client = {
      options: { disableBeaconVerification: true, noCache: true },
      chain: () => ({ baseUrl: '', info: () => Promise.resolve(defaultChainInfo) }),
      get: () => Promise.resolve(JSON.parse(answer) as Awaited<ReturnType<HttpChainClient['get']>>),
      latest: () => Promise.reject(new Error('not asked for')),
    };
    const beacon = readBeacon(utf8Encode(answer), QUICKNET, round);
    const theirs = await timelockEncrypt(round, Buffer.from(SECRET), client);
    const base64 = theirs.split('\n').filter((line) => !line.startsWith('-----'));
    const binary = new Uint8Array(Buffer.from(base64.join(''), 'base64'));
    assert.deepEqual(await unlock(binary, beacon), SECRET);
    // It tells every beacon on stdout.
    t.mock.method(console, 'log', () => undefined);
    const ours = Buffer.from(await lock(SECRET, QUICKNET, round)).toString('latin1');
    assert.deepEqual(new Uint8Array(await timelockDecrypt(ours, client)), SECRET);
  });

  it('is refused when any byte was changed', async () => {
    const locked = await lock(SECRET, chain, 7);
    const beacon = readBeacon(chain.sign(7), chain, 7);
    for (const at of [60, 150, 250, locked.length - 40, locked.length - 1]) {
      const changed = locked.slice();
      changed[at] = 1 ^ (changed[at] ?? 0);
      await assert.rejects(unlock(changed, beacon), { code: 'timelock_invalid' }, String(at));
    }
  });
});
