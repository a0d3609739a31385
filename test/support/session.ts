import { createHash, randomBytes } from 'node:crypto';

import { fromHex, toBase64Url, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { encodeJson } from '../../protocol/encoding/json.ts';
import type { Signer } from '../../protocol/signature/ed25519.ts';

/** What came back, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  /** The body as JSON, whatever it is. */
  // A test knows what to expect and fails if it is not there.
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
  json<T = Record<string, never>>(): T;
  text(): string;
}

export interface RequestBody {
  readonly json?: unknown;
  readonly bytes?: Uint8Array;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A token is not used for longer; it lasts ten minutes. */
const TOKEN_AGE_MS = 500_000;

/** Speaks HTTP with a server as one identity, or as the public. */
export interface TestClient {
  request(method: string, path: string, body?: RequestBody): Promise<Answer>;
  get(path: string): Promise<Answer>;
  post(path: string, json: unknown): Promise<Answer>;
  put(path: string, bytes: Uint8Array): Promise<Answer>;
  /** Log in, if that has not been done, and return the access token. */
  token(): Promise<string>;
}

/** Claims of a proof, each of which a test can replace. `undefined` leaves one out. */
export interface ProofOptions {
  readonly header?: Record<string, unknown>;
  readonly claims?: Record<string, unknown>;
}

/** Make a DPoP proof (RFC 9449) by hand, so that a test can bend it. */
export function makeProof(
  signer: Signer,
  method: string,
  url: string,
  now: number,
  { header = {}, claims = {} }: ProofOptions = {},
): string {
  const head = {
    typ: 'dpop+jwt',
    alg: 'EdDSA',
    jwk: { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(fromHex(signer.publicKey, 32)) },
    ...header,
  };
  const payload = {
    htm: method,
    htu: url,
    iat: Math.floor(now / 1000),
    jti: randomBytes(16).toString('base64url'),
    ...claims,
  };
  const signed = `${toBase64Url(encodeJson(head))}.${toBase64Url(encodeJson(payload))}`;
  return `${signed}.${toBase64Url(signer.sign(utf8Encode(signed)))}`;
}

export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

/** @param signer - Whose key to log in with; the public without one. */
export function testClient(url: string, signer: Signer | undefined, now: () => number): TestClient {
  let login: { readonly token: Promise<string>; readonly at: number } | undefined;

  const send = async (
    method: string,
    path: string,
    { json, bytes, type, headers = {} }: RequestBody = {},
    credentials: Record<string, string> = {},
  ): Promise<Answer> => {
    const body = json === undefined ? bytes : utf8Encode(JSON.stringify(json));
    const contentType =
      type ?? (json === undefined ? 'application/octet-stream' : 'application/json');
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': contentType }),
        ...credentials,
        ...headers,
      },
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
    });
    const received = new Uint8Array(await response.arrayBuffer());
    const text = (): string => new TextDecoder().decode(received);
    return {
      status: response.status,
      headers: response.headers,
      bytes: received,
      text,
      json: ((): unknown => JSON.parse(text())) as Answer['json'],
    };
  };

  const logIn = async (key: Signer): Promise<string> => {
    const { publicKey } = key;
    const challenge = await send('POST', '/v1/auth/challenge', { json: { publicKey } });
    const { nonce } = challenge.json<{ nonce: string }>();
    const dpop = makeProof(key, 'POST', `${url}/v1/auth/token`, now(), { claims: { nonce } });
    const answer = await send('POST', '/v1/auth/token', { json: { publicKey }, headers: { dpop } });
    if (answer.status !== 200) throw new Error(`login answered ${answer.status} ${answer.text()}`);
    return answer.json<{ access_token: string }>().access_token;
  };

  const currentToken = (key: Signer): Promise<string> => {
    const age = now() - (login?.at ?? 0);
    if (login === undefined || age < 0 || age > TOKEN_AGE_MS) {
      login = { token: logIn(key), at: now() };
    }
    return login.token;
  };

  const request = async (method: string, path: string, body: RequestBody = {}): Promise<Answer> => {
    if (signer === undefined) return send(method, path, body);
    const token = await currentToken(signer);
    const [plain = ''] = path.split('?', 1);
    const claims = { ath: tokenHash(token) };
    const dpop = makeProof(signer, method, `${url}${plain}`, now(), { claims });
    return send(method, path, body, { authorization: `DPoP ${token}`, dpop });
  };

  return {
    request,
    get: (path) => request('GET', path),
    post: (path, json) => request('POST', path, { json }),
    put: (path, bytes) => request('PUT', path, { bytes }),
    token: () => {
      if (signer === undefined) throw new Error('the public has no token');
      return currentToken(signer);
    },
  };
}
