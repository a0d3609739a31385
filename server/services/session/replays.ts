import { ServiceError } from '../error.ts';
import { PROOF_WINDOW_MS } from './proofs.ts';

/** Proofs that are remembered of one identity, and of all: what memory they may take. */
const LIMITS = { perIdentity: 10_000, together: 2_000_000 };

/** When the proofs of one identity may be forgotten, in the order in which they came; Unix ms. */
interface Memory {
  readonly proofs: Map<string, number>;
  /** All of them. */
  forgetAt: number;
}

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

export function replays(now: () => number, limits = LIMITS): Replays {
  /** The identity that was quiet for longest comes first. */
  const seen = new Map<string, Memory>();
  let together = 0;

  /** Who never comes again takes no room from others. */
  const forgetQuiet = (at: number): void => {
    for (const [identity, { proofs, forgetAt }] of seen) {
      if (forgetAt >= at) break;
      seen.delete(identity);
      together -= proofs.size;
    }
  };

  return {
    remember(identity, jti) {
      const at = now();
      forgetQuiet(at);
      const own = seen.get(identity) ?? { proofs: new Map<string, number>(), forgetAt: 0 };
      for (const [old, forgetAt] of own.proofs) {
        if (forgetAt >= at) break;
        own.proofs.delete(old);
        together -= 1;
      }
      if (own.proofs.has(jti))
        throw new ServiceError('login_required', 'the proof was used before');
      if (own.proofs.size >= limits.perIdentity || together >= limits.together) {
        throw new ServiceError('too_many_requests', 'too many requests within a minute');
      }
      // A proof made a minute ahead can be repeated for two; the same for all keeps them in order.
      own.forgetAt = at + 2 * PROOF_WINDOW_MS;
      own.proofs.set(jti, own.forgetAt);
      together += 1;
      seen.delete(identity);
      seen.set(identity, own);
    },
  };
}
