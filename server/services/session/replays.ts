import { ServiceError } from '../error.ts';
import { PROOF_WINDOW_MS } from './proofs.ts';

/** Proofs that are remembered of one identity, and of all: what memory they may take. */
const MAX_PER_IDENTITY = 10_000;
const MAX_TOGETHER = 2_000_000;

/**
 * Remembers every proof for as long as it could be repeated.
 *
 * Only proofs of known identities are remembered, and each identity's memory is its own, so nobody
 * can make room for a replay by pushing out somebody else's proofs. A full memory refuses.
 */
export interface Replays {
  /** @throws {@link ServiceError} `login_required` for a repeated proof, `too_many_requests` */
  remember(identity: string, jti: string): void;
}

export function replays(now: () => number): Replays {
  const seen = new Map<string, Map<string, number>>();
  let together = 0;
  return {
    remember(identity, jti) {
      const at = now();
      const own = seen.get(identity) ?? new Map<string, number>();
      seen.set(identity, own);
      for (const [old, forgetAt] of own) {
        if (forgetAt >= at) break;
        own.delete(old);
        together -= 1;
      }
      if (own.has(jti)) throw new ServiceError('login_required', 'the proof was used before');
      if (own.size >= MAX_PER_IDENTITY || together >= MAX_TOGETHER) {
        throw new ServiceError('too_many_requests', 'too many requests within a minute');
      }
      // A proof made a minute ahead can be repeated for two; the same for all keeps them in order.
      together += 1;
      own.set(jti, at + 2 * PROOF_WINDOW_MS);
    },
  };
}
