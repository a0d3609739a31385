import { Encrypter, Stanza } from 'age-encryption';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultChainInfo, timelockDecrypt, timelockEncrypt, type HttpChainClient } from 'tlock-js';
import { encryptOnG2RFC9380 } from 'tlock-js/crypto/ibe.js';
import { generateKey, open, seal } from '../../../protocol/embargo/age.ts';
import { MAX_BEACON_BYTES, readBeacon, roundDigest } from '../../../protocol/embargo/beacon.ts';
import { lock, readLock, unlock } from '../../../protocol/embargo/lock.ts';
import { concatBytes, fromHex, utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { QUICKNET } from '../../../protocol/plan/timelock.ts';
import { beaconJson, localChain, QUICKNET_ROUNDS } from './drand.ts';

const chain = localChain();
const SECRET = utf8Encode('the share');

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
