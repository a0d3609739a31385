import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

import { formatInstant } from '../../../protocol/encoding/time.ts';
import type { Ed25519PublicKey } from '../../../protocol/signature/ed25519.ts';

const LIFETIME_MS = 60_000;
const ISSUED_BYTES = 6;
const RANDOM_BYTES = 10;
const HEAD_BYTES = ISSUED_BYTES + RANDOM_BYTES;
const MAC_BYTES = 16;

export interface Challenge {
  /** 32 bytes in hex. */
  readonly nonce: string;
  readonly expiresAt: string;
}

/**
 * Login challenges that cost no memory until they are answered by somebody known.
 *
 * A nonce carries its own instant and a MAC over it and the key it is for, under a secret of this
 * process. A flood of requests therefore cannot push anybody else's challenge out of a table. Used
 * nonces are remembered until they expire; only callers who are known get that far.
 */
export interface Challenges {
  /** The same for every key, known or not: who is enrolled is nobody's business. */
  issue(publicKey: Ed25519PublicKey): Challenge;
  isFresh(nonce: string, publicKey: Ed25519PublicKey): boolean;
  /** @returns `false` when it has been used already. */
  use(nonce: string): boolean;
}

export function challenges(now: () => number): Challenges {
  const secret = randomBytes(32);
  const used = new Map<string, number>();

  const mac = (head: Uint8Array, publicKey: string): Buffer =>
    createHmac('sha256', secret).update(head).update(publicKey).digest().subarray(0, MAC_BYTES);

  return {
    issue(publicKey) {
      const issuedAt = now();
      const head = Buffer.concat([Buffer.alloc(ISSUED_BYTES), randomBytes(RANDOM_BYTES)]);
      head.writeUIntBE(issuedAt, 0, ISSUED_BYTES);
      return {
        nonce: Buffer.concat([head, mac(head, publicKey)]).toString('hex'),
        expiresAt: formatInstant(issuedAt + LIFETIME_MS),
      };
    },
    isFresh(nonce, publicKey) {
      const bytes = Buffer.from(nonce, 'hex');
      if (bytes.length !== HEAD_BYTES + MAC_BYTES) return false;
      const head = bytes.subarray(0, HEAD_BYTES);
      if (!timingSafeEqual(bytes.subarray(HEAD_BYTES), mac(head, publicKey))) return false;
      const age = now() - head.readUIntBE(0, ISSUED_BYTES);
      return age >= 0 && age < LIFETIME_MS;
    },
    use(nonce) {
      const at = now();
      for (const [old, usedAt] of used) {
        if (at - usedAt < LIFETIME_MS) break;
        used.delete(old);
      }
      if (used.has(nonce)) return false;
      used.set(nonce, at);
      return true;
    },
  };
}
