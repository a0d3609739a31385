import type { KeyObject } from 'node:crypto';

import { jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';

import type { Identity } from '../caller.ts';
import { ServiceError } from '../error.ts';
import { tokenHash } from './proofs.ts';

export const TOKEN_LIFETIME_SECONDS = 600;

const MAX_TOKEN_LENGTH = 4096;
/** Tokens remembered as verified. The oldest is forgotten first, which only costs time. */
const MAX_REMEMBERED = 16_384;
const TYPE = 'at+jwt';
const ALGORITHM = 'EdDSA';

const tokenClaims = z.strictObject({
  iss: z.string(),
  aud: z.string(),
  iat: z.int(),
  exp: z.int(),
  sub: z.string(),
  role: z.enum(['officer', 'operator', 'reviewer']),
  cnf: z.strictObject({ jkt: z.string() }),
});

export interface TokenKeys {
  readonly privateKey: KeyObject;
  readonly publicKeyObject: KeyObject;
}

/** What an access token says once it has been verified. */
interface TokenClaims {
  readonly role: Identity['role'];
  readonly id: string;
  /** The only key whose proofs may accompany it. */
  readonly thumbprint: string;
  /** What those proofs must name as `ath`. */
  readonly hash: string;
}

/** A token whose signature and claims hold, until it expires. */
interface Remembered {
  readonly claims: TokenClaims;
  /** Unix seconds. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export interface Tokens {
  issue(identity: Identity, thumbprint: string): Promise<string>;
  /** @throws {@link ServiceError} `login_required` */
  verify(token: string): Promise<TokenClaims>;
}

/**
 * Access tokens bound to a key, for this service alone (`issuer` is its public URL).
 *
 * Signature and claims of a token never change, so they are checked once and remembered by the
 * token's hash. Its time is checked on every use.
 */
export function tokens(keys: TokenKeys, issuer: string, now: () => number): Tokens {
  const remembered = new Map<string, Remembered>();

  const verifyAnew = async (token: string, hash: string): Promise<Remembered> => {
    const { payload } = await jwtVerify(token, keys.publicKeyObject, {
      algorithms: [ALGORITHM],
      typ: TYPE,
      issuer,
      audience: issuer,
      requiredClaims: ['exp', 'iat', 'sub', 'cnf'],
      maxTokenAge: TOKEN_LIFETIME_SECONDS,
      currentDate: new Date(now()),
    });
    const { role, sub, cnf, iat, exp } = tokenClaims.parse(payload);
    const claims = { role, id: sub, thumbprint: cnf.jkt, hash };
    return { claims, issuedAt: iat, expiresAt: exp };
  };

  const remember = (hash: string, verified: Remembered): void => {
    const [oldest] = remembered.keys();
    if (oldest !== undefined && remembered.size >= MAX_REMEMBERED) remembered.delete(oldest);
    remembered.set(hash, verified);
  };

  return {
    issue: ({ role, id }, thumbprint) => {
      const issuedAt = Math.floor(now() / 1000);
      return new SignJWT({ role, cnf: { jkt: thumbprint } })
        .setProtectedHeader({ alg: ALGORITHM, typ: TYPE })
        .setIssuer(issuer)
        .setAudience(issuer)
        .setSubject(id)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + TOKEN_LIFETIME_SECONDS)
        .sign(keys.privateKey);
    },
    async verify(token) {
      if (token.length > MAX_TOKEN_LENGTH) throw refused();
      const hash = tokenHash(token);
      const known = remembered.get(hash);
      if (known !== undefined) {
        if (isCurrent(known, now())) return known.claims;
        remembered.delete(hash);
      }
      try {
        const verified = await verifyAnew(token, hash);
        remember(hash, verified);
        return verified.claims;
      } catch {
        throw refused();
      }
    },
  };
}

/** The rule by which `jwtVerify` looks at the time: in whole seconds, without tolerance. */
function isCurrent({ issuedAt, expiresAt }: Remembered, at: number): boolean {
  const seconds = Math.floor(at / 1000);
  const age = seconds - issuedAt;
  return age >= 0 && age <= TOKEN_LIFETIME_SECONDS && seconds < expiresAt;
}

function refused(): ServiceError {
  return new ServiceError('login_required', 'the access token does not hold or has expired');
}
