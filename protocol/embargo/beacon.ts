import { bls12_381 } from '@noble/curves/bls12-381.js';
import { z } from 'zod';
import { fromHex, sha256 } from '../encoding/bytes.ts';
import { parseJson } from '../encoding/json.ts';
import { parseShape, safeCount } from '../encoding/shape.ts';
import { ProtocolError } from '../errors.ts';
import type { DrandChain, Timelock } from '../plan/timelock.ts';

/** A round that the chain has signed: the key to all that is locked to this round. */
export interface Beacon {
  readonly chain: string;
  readonly round: number;
  /** BLS12-381 G1, compressed: 48 bytes. */
  readonly signature: Uint8Array;
}

/** Looks for the signed round that something is locked to; throws while there is none. */
export type FindBeacon = (lock: Timelock) => Promise<Beacon>;

/** Longer than any answer of a drand relay. */
export const MAX_BEACON_BYTES = 4096;

/** As relays write it, old interface and new; what else they say follows from these two. */
const beaconJson = z.object({
  round: safeCount.min(1),
  signature: z.string().regex(/^[0-9a-f]{96}$/),
});

/**
 * Read a beacon from whoever hands it out, and verify it under the chain's pinned key.
 *
 * @param bytes - JSON such as `{"round":1000,"signature":"<96 hex>", …}`.
 * @throws {@link ProtocolError} `beacon_invalid` for another shape or round, and for a signature that
 *   is not the chain's; `encoding_invalid` or `too_large` for what is no JSON.
 * @see docs/spec/timelock.md, "Beacon"
 */
export function readBeacon(bytes: Uint8Array, chain: DrandChain, round: number): Beacon {
  const json = parseJson(bytes, MAX_BEACON_BYTES);
  const beacon = parseShape(beaconJson, json, 'beacon_invalid', 'beacon');
  if (beacon.round !== round) {
    throw new ProtocolError('beacon_invalid', `the beacon is of round ${beacon.round}`);
  }
  const signature = fromHex(beacon.signature, 48);
  if (!isSignedBy(chain, round, signature)) {
    throw new ProtocolError('beacon_invalid', 'the beacon is not signed by the chain');
  }
  return { chain: chain.hash, round, signature };
}

/** What is signed, and what a ciphertext is locked to: SHA-256 of the round, eight bytes big-endian. */
export function roundDigest(round: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(round));
  return sha256(bytes);
}

function isSignedBy({ publicKey }: DrandChain, round: number, signature: Uint8Array): boolean {
  const scheme = bls12_381.shortSignatures;
  try {
    return scheme.verify(signature, scheme.hash(roundDigest(round)), fromHex(publicKey, 96));
  } catch {
    // Not a point of the curve, or not of its subgroup.
    return false;
  }
}
