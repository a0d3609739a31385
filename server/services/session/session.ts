import type { Ed25519PublicKey } from '../../../protocol/signature/ed25519.ts';
import type { Identities, Identity } from '../caller.ts';
import { ServiceError } from '../error.ts';
import type { Challenge } from './challenges.ts';
import { challenges } from './challenges.ts';
import type { ProofTarget } from './proofs.ts';
import { verifyProof } from './proofs.ts';
import { replays } from './replays.ts';
import type { TokenKeys } from './tokens.ts';
import { TOKEN_LIFETIME_SECONDS, tokens } from './tokens.ts';

/** An access token and who it is for. */
interface Login {
  readonly token: string;
  readonly expiresIn: number;
  readonly identity: Identity;
}

/** Sessions: a nonce answered once with a proof of the key, then a proof with every request. */
export interface Sessions {
  challenge(publicKey: Ed25519PublicKey): Challenge;
  login(publicKey: Ed25519PublicKey, proof: string, target: ProofTarget): Promise<Login>;
  /**
   * Who makes this request. The proof and the key's place are checked each time, and of a token seen
   * before the time alone.
   */
  authenticate(token: string, proof: string, target: ProofTarget): Promise<Identity>;
}

/**
 * @param options.issuer - The public URL.
 * @param options.since - Unix ms; proofs made before are refused. A whole second.
 */
export function sessions(options: {
  readonly identities: Identities;
  readonly keys: TokenKeys;
  readonly issuer: string;
  readonly now: () => number;
  readonly since: number;
}): Sessions {
  const { identities, issuer, now, since } = options;
  const challenge = challenges(now);
  const token = tokens(options.keys, issuer, now);
  const replay = replays(now);

  return {
    challenge: (publicKey) => challenge.issue(publicKey),

    async login(publicKey, text, target) {
      const proof = await verifyProof(text, target, { now: now(), since });
      if (proof.publicKey !== publicKey) throw refused('the proof is by another key');
      if (proof.nonce === undefined || !challenge.isFresh(proof.nonce, publicKey)) {
        throw refused('the challenge is not ours or has expired');
      }
      const identity = identities.find(publicKey);
      if (identity === undefined) {
        throw new ServiceError(
          'login_refused',
          'this key is neither in the root of trust nor enrolled',
        );
      }
      if (!challenge.use(proof.nonce)) throw refused('the challenge was used before');
      return {
        token: await token.issue(identity, proof.thumbprint),
        expiresIn: TOKEN_LIFETIME_SECONDS,
        identity,
      };
    },

    async authenticate(accessToken, text, target) {
      const claims = await token.verify(accessToken);
      const proof = await verifyProof(text, target, { now: now(), since }, claims.thumbprint);
      if (proof.ath !== claims.hash) throw refused('the proof is for another token');
      if (proof.thumbprint !== claims.thumbprint) throw refused('the token is of another key');
      const identity = identities.find(proof.publicKey);
      if (identity?.role !== claims.role || identity.id !== claims.id) {
        throw refused('this key has lost its place');
      }
      replay.remember(identity.publicKey, proof.jti);
      return identity;
    },
  };
}

function refused(reason: string): ServiceError {
  return new ServiceError('login_required', reason);
}
