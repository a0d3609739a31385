import { SignJWT } from 'jose/jwt/sign';
import type { KeyedSigner } from '../../platform/ed25519.ts';
import { challengeResponse, tokenResponse } from '../../protocol/api/session.ts';
import { fromHex, sha256, toBase64Url, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { encodeJson } from '../../protocol/encoding/json.ts';
import type { Session, SessionStore } from '../home/sessions.ts';
import { readJson, sendRequest, type NetworkContext } from './http.ts';

/** A token this close to its end is not used any more. */
const RENEW_BEFORE_MS = 30_000;

export interface SessionKeeper {
  /** A session that is still good for a request, logging in when there is none. */
  current(): Promise<Session>;
  /** Forget the session, because the server no longer accepts it. */
  forget(): Promise<void>;
  /** Headers that prove possession of the key for this one request (RFC 9449 §4, §7). */
  headers(method: string, url: URL): Promise<Record<string, string>>;
}

export function openSession(
  context: NetworkContext,
  server: string,
  identity: KeyedSigner,
  store: SessionStore,
): SessionKeeper {
  let known: Session | undefined;

  const current = async (): Promise<Session> => {
    known ??= await store.find(server, identity.publicKey);
    if (known !== undefined && known.expiresAt - RENEW_BEFORE_MS > context.now()) return known;
    known = await logIn(context, server, identity);
    await store.save(server, identity.publicKey, known);
    return known;
  };

  return {
    current,
    async forget() {
      known = undefined;
      await store.drop(server, identity.publicKey);
    },
    async headers(method, url) {
      const { token } = await current();
      const ath = toBase64Url(sha256(utf8Encode(token)));
      return {
        authorization: `DPoP ${token}`,
        dpop: await signProof(context, identity, method, url, { ath }),
      };
    },
  };
}

async function logIn(
  context: NetworkContext,
  server: string,
  identity: KeyedSigner,
): Promise<Session> {
  const body = new Uint8Array(encodeJson({ publicKey: identity.publicKey }));
  const contentType = 'application/json';
  const challengeUrl = new URL(`${server}/v1/auth/challenge`);
  const tokenUrl = new URL(`${server}/v1/auth/token`);
  const { nonce } = await readJson(
    await sendRequest(context, {
      method: 'POST',
      url: challengeUrl,
      contentType,
      body: () => body,
    }),
    challengeResponse,
    4096,
  );
  const dpop = await signProof(context, identity, 'POST', tokenUrl, { nonce });
  const answer = await sendRequest(context, {
    method: 'POST',
    url: tokenUrl,
    contentType,
    body: () => body,
    headers: { dpop },
  });
  const token = await readJson(answer, tokenResponse, 16_384);
  return {
    token: token.access_token,
    expiresAt: context.now() + token.expires_in * 1000,
    role: token.role,
    id: token.id,
  };
}

/** A DPoP proof for one request (RFC 9449 §4.2). */
async function signProof(
  context: NetworkContext,
  identity: KeyedSigner,
  method: string,
  url: URL,
  claims: { readonly nonce: string } | { readonly ath: string },
): Promise<string> {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(fromHex(identity.publicKey, 32)) };
  return new SignJWT({
    jti: toBase64Url(context.randomBytes(16)),
    htm: method,
    htu: `${url.origin}${url.pathname}`,
    iat: Math.floor(context.now() / 1000),
    ...claims,
  })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'EdDSA', jwk })
    .sign(identity.privateKey);
}
