import type { KeyObject } from 'node:crypto';

import { jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';

import type { Identity } from '../caller.ts';
import { ServiceError } from '../error.ts';

export const TOKEN_LIFETIME_SECONDS = 600;

const MAX_TOKEN_LENGTH = 4096;
const TYPE = 'at+jwt';
const ALGORITHM = 'EdDSA';

const tokenClaims = z.strictObject({
  iss: z.string(),
  aud: z.string(),
  iat: z.int(),
  exp: z.int(),
  sub: z.string(),
  role: z.enum(['officer', 'operator']),
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
}

export interface Tokens {
  issue(identity: Identity, thumbprint: string): Promise<string>;
  /** @throws {@link ServiceError} `login_required` */
  verify(token: string): Promise<TokenClaims>;
}

/** Access tokens bound to a key, for this service alone (`issuer` is its public URL). */
export function tokens(keys: TokenKeys, issuer: string, now: () => number): Tokens {
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
      try {
        const { payload } = await jwtVerify(token, keys.publicKeyObject, {
          algorithms: [ALGORITHM],
          typ: TYPE,
          issuer,
          audience: issuer,
          requiredClaims: ['exp', 'iat', 'sub', 'cnf'],
          maxTokenAge: TOKEN_LIFETIME_SECONDS,
          currentDate: new Date(now()),
        });
        const { role, sub, cnf } = tokenClaims.parse(payload);
        return { role, id: sub, thumbprint: cnf.jkt };
      } catch {
        throw refused();
      }
    },
  };
}

function refused(): ServiceError {
  return new ServiceError('login_required', 'the access token does not hold or has expired');
}
