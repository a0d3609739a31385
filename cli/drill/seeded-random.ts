import { sha256, utf8Encode } from '../../protocol/encoding/bytes.ts';

/** A repeatable source of randomness for a rehearsal. Never for a secret of a real campaign. */
export interface SeededRandom {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Uniform integer in [0, `bound`). */
  below(bound: number): number;
  /** Standard normal. */
  normal(): number;
  /** 32 bytes that depend on the seed and `label` alone, not on what was drawn before. */
  bytes(label: string): Uint8Array;
}

/** The SHA-256 of seed and counter, 32 bits a draw: slow, and the same on every machine. */
export function seededRandom(seed: string): SeededRandom {
  let counter = 0;
  const uniform = (): number => {
    const block = sha256(utf8Encode(`sealdrop-drill/draw\n${seed}\n${counter++}`));
    return new DataView(block.buffer, block.byteOffset).getUint32(0) / 2 ** 32;
  };
  return {
    uniform,
    below: (bound) => Math.floor(uniform() * bound),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    bytes: (label) => sha256(utf8Encode(`sealdrop-drill/key\n${seed}\n${label}`)),
  };
}
