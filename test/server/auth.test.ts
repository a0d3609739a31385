import assert from 'node:assert/strict';
import { createHmac, createPublicKey } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { generateSeed, signerFromSeed } from '../../platform/ed25519.ts';
import { fromHex, toBase64Url, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { encodeJson } from '../../protocol/encoding/json.ts';
import type { Signer } from '../../protocol/signature/ed25519.ts';
import { DAY_MS, HOUR_MS, testClock } from '../support/clock.ts';
import type { ProofOptions } from '../support/session.ts';
import { makeProof, testClient, tokenHash } from '../support/session.ts';
import { problemOf } from '../support/story.ts';
import type { TestServer } from '../support/test-server.ts';
import { startTestServer } from '../support/test-server.ts';

const LOGIN_REQUIRED = { status: 401, type: 'login_required' };

describe('sessions', () => {
  const clock = testClock();
  const stranger = signerFromSeed(generateSeed());
  let server: TestServer;
  let officer: Signer;
  let token: string;

  before(async () => {
    server = await startTestServer({ now: clock.now });
    officer = server.officers[0]?.signing ?? stranger;
    token = await server.client(officer).token();
  });
  after(() => server.close());

  /** Ask for the campaigns with a token and proof as bent as the test wants. */
  const ask = async (
    options: {
      readonly token?: string;
      readonly signer?: Signer;
      readonly proof?: ProofOptions;
      readonly rawProof?: string | undefined;
      readonly scheme?: string;
      readonly path?: string;
    } = {},
  ): Promise<{ status: number; type: string }> => {
    const { scheme = 'DPoP', path = '/v1/campaigns', signer = officer } = options;
    const used = options.token ?? token;
    const claims = { ath: tokenHash(used), ...options.proof?.claims };
    const dpop =
      'rawProof' in options
        ? options.rawProof
        : makeProof(signer, 'GET', `${server.url}/v1/campaigns`, clock.now(), {
            ...options.proof,
            claims,
          });
    const answer = await server.client().request('GET', path, {
      headers: { authorization: `${scheme} ${used}`, ...(dpop !== undefined && { dpop }) },
    });
    return answer.status === 200 ? { status: 200, type: 'ok' } : problemOf(answer);
  };

  const forge = (header: object, claims: object, sign: (text: string) => Uint8Array): string => {
    const text = `${toBase64Url(encodeJson(header))}.${toBase64Url(encodeJson(claims))}`;
    return `${text}.${toBase64Url(sign(text))}`;
  };
  /** What the real token says, to be signed again by whoever forges it. */
  const claimsOf = (text: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString()) as Record<
      string,
      unknown
    >;

  it('lets a known key in with a token and a proof of it', async () => {
    assert.deepEqual(await ask(), { status: 200, type: 'ok' });
  });

  it('says of a strange key that it is refused, and only to its holder', async () => {
    const challenge = async (key: Signer): Promise<string[]> => {
      const answer = await server.client().post('/v1/auth/challenge', { publicKey: key.publicKey });
      assert.equal(answer.status, 200);
      return Object.keys(answer.json());
    };
    assert.deepEqual(await challenge(stranger), await challenge(officer));
    await assert.rejects(testClient(server.url, stranger, clock.now).token(), /403/);
  });

  it('refuses tokens that others have made', async () => {
    const claims = claimsOf(token);
    const header = { alg: 'EdDSA', typ: 'at+jwt' };
    const spki = createPublicKey({
      key: Buffer.concat([
        Buffer.from('302a300506032b6570032100', 'hex'),
        fromHex(server.root.tokenKey, 32),
      ]),
      format: 'der',
      type: 'spki',
    });
    const pem = spki.export({ type: 'spki', format: 'pem' });
    const hmacWith = (key: string | Uint8Array) => (text: string) =>
      new Uint8Array(createHmac('sha256', key).update(text).digest());
    const byStranger = (text: string): Uint8Array => stranger.sign(utf8Encode(text));

    const forged = {
      'alg none': forge({ alg: 'none', typ: 'at+jwt' }, claims, () => new Uint8Array()),
      'HS256 with the public key as PEM': forge(
        { alg: 'HS256', typ: 'at+jwt' },
        claims,
        hmacWith(pem.toString()),
      ),
      'HS256 with the public key raw': forge(
        { alg: 'HS256', typ: 'at+jwt' },
        claims,
        hmacWith(fromHex(server.root.tokenKey, 32)),
      ),
      'signed by a stranger': forge(header, claims, byStranger),
      'signed by an embedded key': forge(
        {
          ...header,
          jwk: { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(fromHex(stranger.publicKey, 32)) },
        },
        claims,
        byStranger,
      ),
      'one bit changed': `${token.slice(0, -3)}${token.at(-3) === 'A' ? 'B' : 'A'}${token.slice(-2)}`,
      'signature dropped': token.split('.').slice(0, 2).join('.') + '.',
      'longer than any token': `${token}${'A'.repeat(5000)}`,
    };
    for (const [name, used] of Object.entries(forged)) {
      assert.deepEqual(await ask({ token: used }), LOGIN_REQUIRED, name);
    }
  });

  it('refuses a token of the server itself that is for something else or has expired', async () => {
    const other = await startTestServer({ now: clock.now, officers: server.officers });
    const foreign = await other.client(officer).token();
    await other.close();
    assert.deepEqual(await ask({ token: foreign }), LOGIN_REQUIRED);

    const proofAsToken = makeProof(officer, 'GET', `${server.url}/v1/campaigns`, clock.now());
    assert.deepEqual(await ask({ token: proofAsToken }), LOGIN_REQUIRED);

    clock.advance(601_000);
    assert.deepEqual(await ask(), LOGIN_REQUIRED);
    clock.advance(-601_000);
    // Not even by turning the clock back does a token become older than it may be.
    clock.advance(-DAY_MS);
    assert.deepEqual(await ask(), LOGIN_REQUIRED);
    clock.advance(DAY_MS);
    assert.deepEqual(await ask(), { status: 200, type: 'ok' });
  });

  it('refuses a token with the proof of another key, though that one is known, too', async () => {
    const second = server.officers[1]?.signing ?? stranger;
    assert.deepEqual(await ask({ signer: second }), LOGIN_REQUIRED);
    assert.deepEqual(await ask({ signer: stranger }), LOGIN_REQUIRED);
  });

  it('refuses proofs that are bent', async () => {
    const seconds = Math.floor(clock.now() / 1000);
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(fromHex(officer.publicKey, 32)) };
    const bent: Record<string, ProofOptions> = {
      'no ath': { claims: { ath: undefined } },
      'ath of another token': { claims: { ath: tokenHash('another') } },
      'another method': { claims: { htm: 'POST' } },
      'another path': { claims: { htu: `${server.url}/v1/campaigns/x` } },
      'another host': { claims: { htu: 'http://evil.example/v1/campaigns' } },
      'a query in htu': { claims: { htu: `${server.url}/v1/campaigns?x=1` } },
      'from a minute ago': { claims: { iat: seconds - 61 } },
      'from the future': { claims: { iat: seconds + 61 } },
      'from before this process began': { claims: { iat: seconds - 1 } },
      'iat as text': { claims: { iat: String(seconds) } },
      'no iat': { claims: { iat: undefined } },
      'a short jti': { claims: { jti: 'a' } },
      'an unknown claim': { claims: { scope: 'all' } },
      'another type': { header: { typ: 'JWT' } },
      'no type': { header: { typ: undefined } },
      'alg none': { header: { alg: 'none' } },
      'alg HS256': { header: { alg: 'HS256' } },
      'alg Ed448': { header: { alg: 'Ed448' } },
      crit: { header: { crit: ['exp'], exp: 1 } },
      'unencoded payload': { header: { b64: false, crit: ['b64'] } },
      'a private key in the header': { header: { jwk: { ...jwk, d: jwk.x } } },
      'a key of small order': { header: { jwk: { ...jwk, x: toBase64Url(new Uint8Array(32)) } } },
      'a key by URL': { header: { jwk: undefined, jku: 'https://evil.example/jwks' } },
    };
    for (const [name, proof] of Object.entries(bent)) {
      assert.deepEqual(await ask({ proof }), LOGIN_REQUIRED, name);
    }
    assert.deepEqual(await ask({ rawProof: undefined }), LOGIN_REQUIRED, 'no proof');
    assert.deepEqual(await ask({ rawProof: 'a.b.c' }), LOGIN_REQUIRED, 'no JWT');
    assert.deepEqual(await ask({ scheme: 'Bearer' }), LOGIN_REQUIRED, 'as a bearer token');
  });

  it('refuses a proof that is used again', async () => {
    const claims = { ath: tokenHash(token) };
    const url = `${server.url}/v1/campaigns`;
    const rawProof = makeProof(officer, 'GET', url, clock.now(), { claims });
    assert.deepEqual(await ask({ rawProof }), { status: 200, type: 'ok' });
    assert.deepEqual(await ask({ rawProof }), LOGIN_REQUIRED);
    clock.advance(59_000);
    assert.deepEqual(await ask({ rawProof }), LOGIN_REQUIRED);
    clock.advance(-59_000);
  });

  it('refuses the proofs of its former life after a restart', async () => {
    const claims = { ath: tokenHash(token) };
    const url = `${server.url}/v1/campaigns`;
    const rawProof = makeProof(officer, 'GET', url, clock.now(), { claims });
    clock.advance(1000);
    await server.restart();
    assert.deepEqual(await ask({ rawProof }), LOGIN_REQUIRED);
    assert.deepEqual(await ask(), { status: 200, type: 'ok' }, 'the token itself lives on');
  });

  it('takes a challenge once, for the key it was made for, and for a minute', async () => {
    const { publicKey } = officer;
    const second = server.officers[1]?.signing ?? stranger;
    const anyone = server.client();
    const url = `${server.url}/v1/auth/token`;
    const challenge = async (key: Signer): Promise<string> =>
      (await anyone.post('/v1/auth/challenge', { publicKey: key.publicKey })).json<{
        nonce: string;
      }>().nonce;
    const login = async (nonce: unknown, key: Signer = officer): Promise<number> => {
      const dpop = makeProof(key, 'POST', url, clock.now(), { claims: { nonce } });
      const answer = await anyone.request('POST', '/v1/auth/token', {
        json: { publicKey },
        headers: { dpop },
      });
      return answer.status;
    };
    const nonce = await challenge(officer);
    assert.equal(await login(nonce), 200);
    assert.equal(await login(nonce), 401, 'used');
    assert.equal(await login(await challenge(second)), 401, 'of another key');
    assert.equal(await login('00'.repeat(32)), 401, 'invented');
    assert.equal(await login(undefined), 401, 'none');
    assert.equal(await login(await challenge(officer), second), 401, 'by another key');
    const late = await challenge(officer);
    clock.advance(60_000);
    assert.equal(await login(late), 401, 'expired');
  });

  it('ignores forwarded headers when it decides what a proof is for', async () => {
    const claims = { ath: tokenHash(token) };
    const dpop = makeProof(officer, 'GET', 'https://evil.example/v1/campaigns', clock.now(), {
      claims,
    });
    const answer = await server.client().request('GET', '/v1/campaigns', {
      headers: {
        authorization: `DPoP ${token}`,
        dpop,
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'https',
        forwarded: 'host=evil.example;proto=https',
      },
    });
    assert.equal(answer.status, 401);
  });

  it('keeps operators out of what is for officers, and the public out of both', async () => {
    const anyone = server.client();
    for (const path of ['/v1/campaigns', '/v1/enrolments', '/v1/inbox']) {
      assert.deepEqual(problemOf(await anyone.get(path)), LOGIN_REQUIRED, path);
    }
    const inbox = await server.client(officer).get('/v1/inbox');
    assert.deepEqual(problemOf(inbox), { status: 403, type: 'login_refused' });
    clock.advance(HOUR_MS);
  });
});

describe('rate limits', () => {
  const clock = testClock();
  let server: TestServer;

  before(async () => {
    server = await startTestServer({
      now: clock.now,
      env: { ADDRESS_RATE: '1', IDENTITY_RATE: '1' },
    });
  });
  after(() => server.close());

  it('hold per identity, and not for others from the same address', async () => {
    const [first, second] = server.officers.map(({ signing }) => server.client(signing));
    assert.ok(first && second);
    const statuses = [];
    for (let i = 0; i < 25; i++) statuses.push((await first.get('/v1/campaigns')).status);
    assert.equal(statuses.filter((status) => status === 200).length, 20);
    assert.equal(statuses.filter((status) => status === 429).length, 5);
    assert.equal((await second.get('/v1/campaigns')).status, 200);
    clock.advance(1000);
    assert.equal((await first.get('/v1/campaigns')).status, 200);
  });

  it('hold per address before it is known who asks, whatever is forwarded', async () => {
    const anyone = server.client();
    const { publicKey } = signerFromSeed(generateSeed());
    const statuses = [];
    for (let i = 0; i < 70; i++) {
      const answer = await anyone.request('POST', '/v1/auth/challenge', {
        json: { publicKey },
        headers: { 'x-forwarded-for': `10.0.0.${i}` },
      });
      statuses.push(answer.status);
    }
    assert.ok(statuses.includes(429));
    assert.equal(statuses.at(-1), 429);
    const answer = await anyone.post('/v1/auth/challenge', { publicKey });
    assert.equal(answer.headers.get('retry-after'), '1');
  });

  it('of an address hold up nobody who has a session', async () => {
    const anyone = server.client();
    const [first] = server.officers.map(({ signing }) => server.client(signing));
    clock.advance(60_000);
    assert.equal((await first?.get('/v1/campaigns'))?.status, 200);
    const headers = { authorization: 'DPoP x', dpop: 'x' };
    const statuses = [];
    for (let i = 0; i < 70; i++) {
      statuses.push((await anyone.request('GET', '/v1/campaigns', { headers })).status);
    }
    assert.equal(statuses[0], 401);
    assert.equal(statuses.at(-1), 429);
    assert.equal((await first?.get('/v1/campaigns'))?.status, 200);
  });

  it('believe a proxy that is named in the configuration, and its word alone', async () => {
    const { publicKey } = signerFromSeed(generateSeed());
    const ask = async (from: string): Promise<number> => {
      const answer = await server.client().request('POST', '/v1/auth/challenge', {
        json: { publicKey },
        headers: { 'x-forwarded-for': from },
      });
      return answer.status;
    };
    await server.restartWith({ TRUSTED_PROXIES: '127.0.0.0/8' });
    for (let i = 0; i < 60; i++) assert.equal(await ask('192.0.2.1'), 200);
    assert.equal(await ask('192.0.2.1'), 429);
    assert.equal(await ask('203.0.113.9, 192.0.2.1'), 429, 'what the client made up before that');
    assert.equal(await ask('192.0.2.2'), 200);
  });
});
