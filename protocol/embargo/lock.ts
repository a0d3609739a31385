import { Decrypter, Encrypter, Stanza, type Identity, type Recipient } from 'age-encryption';
import { concatBytes, fromHex } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import type { DrandChain, Timelock } from '../plan/timelock.ts';
import { roundDigest, type Beacon } from './beacon.ts';

/** A point of G2, compressed, and twice the file key's 16 bytes. */
const POINT_BYTES = 96;
const HALF_BYTES = 16;
const BODY_BYTES = POINT_BYTES + 2 * HALF_BYTES;

const ROUND = /^[1-9][0-9]{0,15}$/;
const HASH = /^[0-9a-f]{64}$/;

/**
 * Encrypt so that nobody opens it before the chain has signed a round: an age file whose one stanza
 * is `tlock`, as `tlock-js` and `tle` write and read it.
 *
 * Identity-based encryption is tlock-js's own; the file around it is age's. Its client, which would
 * fetch beacons by itself, tell them on stdout and not compare the chain, is not used.
 */
export async function lock(
  plaintext: Uint8Array,
  chain: DrandChain,
  round: number,
): Promise<Uint8Array> {
  const recipient: Recipient = {
    async wrapFileKey(fileKey) {
      const { encryptOnG2RFC9380 } = await ibe();
      const key = fromHex(chain.publicKey, POINT_BYTES);
      const { U, V, W } = await encryptOnG2RFC9380(key, roundDigest(round), fileKey);
      return [new Stanza(['tlock', String(round), chain.hash], concatBytes(U, V, W))];
    },
  };
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  return encrypter.encrypt(plaintext);
}

/**
 * Open what was locked to the round of a beacon.
 *
 * @param beacon - Verified, from `readBeacon`.
 * @throws {@link ProtocolError} `timelock_invalid` when it is locked to another round or chain, to
 *   anybody besides, or is damaged, or was not encrypted to the round that it names.
 */
export async function unlock(ciphertext: Uint8Array, beacon: Beacon): Promise<Uint8Array> {
  const { chain, round } = await readLock(ciphertext);
  if (chain !== beacon.chain || round !== beacon.round) {
    throw new ProtocolError('timelock_invalid', `it is locked to round ${round}`);
  }
  const identity: Identity = {
    async unwrapFileKey(stanzas) {
      const { decryptOnG2 } = await ibe();
      const body = stanzas[0]?.body ?? new Uint8Array();
      return decryptOnG2(beacon.signature, {
        U: body.subarray(0, POINT_BYTES),
        V: body.subarray(POINT_BYTES, POINT_BYTES + HALF_BYTES),
        W: body.subarray(POINT_BYTES + HALF_BYTES),
      });
    },
  };
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  try {
    return await decrypter.decrypt(ciphertext);
  } catch {
    throw new ProtocolError('timelock_invalid', `the beacon of round ${round} does not open it`);
  }
}

/**
 * What a locked file says it is locked to. Whether that is so nobody can tell before the round.
 *
 * @throws {@link ProtocolError} `timelock_invalid` unless it is an age file to one round and to
 *   nobody else.
 */
export async function readLock(ciphertext: Uint8Array): Promise<Timelock> {
  let header: readonly Stanza[] = [];
  const decrypter = new Decrypter();
  decrypter.addIdentity({
    unwrapFileKey(stanzas) {
      header = stanzas;
      return null;
    },
  });
  // It always fails: this identity only reads the header. Without one there are no stanzas.
  await decrypter.decrypt(ciphertext).catch(() => undefined);
  const [stanza] = header;
  const [type, round, chain] = stanza?.args ?? [];
  const isOne = header.length === 1 && stanza?.args.length === 3 && type === 'tlock';
  const isWhole = stanza?.body.length === BODY_BYTES;
  const number = ROUND.test(round ?? '') ? Number(round) : NaN;
  if (!isOne || !isWhole || !Number.isSafeInteger(number) || !HASH.test(chain ?? '')) {
    throw new ProtocolError('timelock_invalid', 'not a file that is locked to one round alone');
  }
  return { chain: chain ?? '', round: number };
}

/** Loaded when something is locked, not with every command. */
function ibe(): Promise<typeof import('tlock-js/crypto/ibe.js')> {
  return import('tlock-js/crypto/ibe.js');
}
