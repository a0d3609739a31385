import { bls12_381 } from '@noble/curves/bls12-381.js';
import { roundDigest } from '../../../protocol/embargo/beacon.ts';
import { toHex, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import type { DrandChain } from '../../../protocol/plan/timelock.ts';
import { digestNamed } from '../plan/plans.ts';

/** A chain with one signer, who signs any round at any time. */
export interface LocalChain extends DrandChain {
  /** A relay's answer. */
  sign(round: number): Uint8Array;
}

export function localChain(name = 'local'): LocalChain {
  const scheme = bls12_381.shortSignatures;
  const secretKey = bls12_381.utils.randomSecretKey();
  return {
    hash: digestNamed(name),
    publicKey: scheme.getPublicKey(secretKey).toHex(),
    genesisTime: 1_700_000_000,
    period: 3,
    sign(round) {
      const signature = scheme.sign(scheme.hash(roundDigest(round)), secretKey);
      return beaconJson(round, signature.toHex());
    },
  };
}

/** What a relay answers. */
export function beaconJson(round: number, signature: string): Uint8Array {
  return utf8Encode(JSON.stringify({ round, randomness: toHex(roundDigest(round)), signature }));
}

/** Rounds as quicknet signed them; each verifies under the pinned key, which is what makes it so. */
export const QUICKNET_ROUNDS: readonly (readonly [round: number, signature: string])[] = [
  [
    42,
    '95a9f9f5b231b7714de1553105d8ffdf3dcda24cfdb1e689319bccf79a9c8ce430a91b811fbfaf763900bc998b5d686a',
  ],
  [
    123,
    'b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482e26cd02df835d3546d23c4b13e0dfc92',
  ],
  [
    1000,
    'b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39',
  ],
];
