/**
 * A drand chain of the scheme `bls-unchained-g1-rfc9380`: every `period` its operators sign the
 * number of the round, and nobody can sign a round earlier but a threshold of them together.
 */
export interface DrandChain {
  /** What clients and ciphertexts name it by, lower-case hex. */
  readonly hash: string;
  /** BLS12-381 G2, compressed, lower-case hex. */
  readonly publicKey: string;
  /** When round 1 is signed, Unix seconds. */
  readonly genesisTime: number;
  /** Seconds from one round to the next. */
  readonly period: number;
}

/** The round that something is locked to. */
export interface Timelock {
  /** Hash of the chain. */
  readonly chain: string;
  readonly round: number;
}

/** The League of Entropy's quicknet, pinned: nothing about a chain is taken from the network. */
export const QUICKNET: DrandChain = {
  hash: '52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971',
  publicKey:
    '83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a',
  genesisTime: 1_692_803_367,
  period: 3,
};

/** A pinned chain by its hash. */
export function findChain(hash: string): DrandChain | undefined {
  return hash === QUICKNET.hash ? QUICKNET : undefined;
}

/**
 * The first round that is signed at `time` or later, never one before: what is locked to it opens up
 * to one period late and not a millisecond early.
 *
 * @param time - Unix ms.
 * @returns From 1.
 */
export function roundAt({ genesisTime, period }: DrandChain, time: number): number {
  const sinceGenesis = time - genesisTime * 1000;
  return Math.max(0, Math.ceil(sinceGenesis / (period * 1000))) + 1;
}

/** When a round is signed, Unix ms. */
export function timeOfRound({ genesisTime, period }: DrandChain, round: number): number {
  return (genesisTime + (round - 1) * period) * 1000;
}
