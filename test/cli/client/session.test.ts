import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify, type JWTPayload } from 'jose';
import { connect } from '../../../cli/client/connect.ts';
import { openHome, type Home } from '../../../cli/home/home.ts';
import { signerFromSeed } from '../../../platform/ed25519.ts';
import { fromHex, sha256, toBase64Url, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { testContext, type TestContext } from '../support/context.ts';
import { listen, type TestServer } from '../support/static-server.ts';

const OFFICER = signerFromSeed(new Uint8Array(32).fill(7));
const NONCE = '5a'.repeat(32);

interface Asked {
  readonly path: string;
  readonly authorization: string | undefined;
  /** Claims of the proof, its signature and type checked by jose. */
  readonly proof: JWTPayload | undefined;
  readonly thumbprint: string | undefined;
}

/** A server that hands out tokens `t1`, `t2` … and accepts the newest only. */
async function tokenServer(asked: Asked[]): Promise<TestServer & { revoke(): void }> {
  let issued = 0;
  let accepted = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { authorization, dpop } = request.headers;
    let proof: JWTPayload | undefined;
    let thumbprint: string | undefined;
    if (typeof dpop === 'string') {
      const options = { typ: 'dpop+jwt', algorithms: ['EdDSA'] };
      const { payload, protectedHeader } = await jwtVerify(dpop, EmbeddedJWK, options);
      proof = payload;
      thumbprint = await calculateJwkThumbprint(protectedHeader.jwk ?? {});
    }
    asked.push({ path: request.url ?? '', authorization, proof, thumbprint });
    if (request.url === '/v1/auth/challenge') {
      response.end(JSON.stringify({ nonce: NONCE, expiresAt: '2026-11-20T14:00:00.000Z' }));
    } else if (request.url === '/v1/auth/token') {
      accepted = ++issued;
      const token = { access_token: `t${issued}`, token_type: 'DPoP', expires_in: 600 };
      response.end(JSON.stringify({ ...token, role: 'officer', id: 'alice' }));
    } else if (authorization === `DPoP t${accepted}`) {
      response.end('{"campaigns":[]}');
    } else {
      response.writeHead(401).end();
    }
  };
  const server = await listen((request, response) => void answer(request, response));
  return {
    ...server,
    revoke() {
      accepted = -1;
    },
  };
}

async function configured(context: TestContext, server: string): Promise<Home> {
  const home = openHome(context);
  await home.writeConfig({ server, rootSha256: 'ab'.repeat(32) });
  return home;
}

describe('a session', () => {
  it('proves possession of the key for exactly this request', async () => {
    const asked: Asked[] = [];
    await using server = await tokenServer(asked);
    await using context = await testContext();
    const home = await configured(context, server.url);
    const client = await connect(context, home, OFFICER);
    await client.campaigns();

    const [, login, request] = asked;
    const thumbprint = await calculateJwkThumbprint({
      kty: 'OKP',
      crv: 'Ed25519',
      x: toBase64Url(fromHex(OFFICER.publicKey, 32)),
    });
    for (const it of [login, request]) assert.equal(it?.thumbprint, thumbprint);
    const iat = Math.floor(context.now() / 1000);
    const { jti: loginJti, ...loginClaims } = login?.proof ?? {};
    assert.deepEqual(loginClaims, {
      htm: 'POST',
      htu: `${server.url}/v1/auth/token`,
      iat,
      nonce: NONCE,
    });
    const { jti, ...claims } = request?.proof ?? {};
    assert.deepEqual(claims, {
      htm: 'GET',
      htu: `${server.url}/v1/campaigns`,
      iat,
      ath: toBase64Url(sha256(utf8Encode('t1'))),
    });
    assert.notEqual(jti, loginJti);
    assert.deepEqual(await client.whoAmI(), { role: 'officer', id: 'alice' });
  });

  it('is kept for the next command, readable by its owner only', async () => {
    const asked: Asked[] = [];
    await using server = await tokenServer(asked);
    await using context = await testContext();
    const home = await configured(context, server.url);
    await (await connect(context, home, OFFICER)).campaigns();
    await (await connect(context, home, OFFICER)).campaigns();
    assert.equal(asked.filter(({ path }) => path === '/v1/auth/token').length, 1);
    assert.equal((await stat(home.path('session.json'))).mode & 0o777, 0o600);
    const seed = '07'.repeat(32);
    assert.equal((await readFile(home.path('session.json'), 'utf8')).includes(seed), false);
  });

  it('is renewed before it ends, and once when the server has forgotten it', async () => {
    const asked: Asked[] = [];
    await using server = await tokenServer(asked);
    let now = Date.now();
    await using context = await testContext({ now: () => now });
    const client = await connect(context, await configured(context, server.url), OFFICER);
    await client.campaigns();
    now += 575_000;
    await client.campaigns();
    assert.equal(asked.at(-1)?.authorization, 'DPoP t2');
    server.revoke();
    await client.campaigns();
    assert.equal(asked.at(-1)?.authorization, 'DPoP t3');
  });

  it('is of one key: another identity logs in by itself', async () => {
    const asked: Asked[] = [];
    await using server = await tokenServer(asked);
    await using context = await testContext();
    const home = await configured(context, server.url);
    await (await connect(context, home, OFFICER)).campaigns();
    const other = signerFromSeed(new Uint8Array(32).fill(8));
    await (await connect(context, home, other)).campaigns();
    assert.equal(asked.filter(({ path }) => path === '/v1/auth/token').length, 2);
  });

  it('is never shown on public routes', async () => {
    const asked: Asked[] = [];
    await using server = await tokenServer(asked);
    await using context = await testContext();
    const client = await connect(context, await configured(context, server.url), OFFICER);
    await client.campaigns();
    const before = asked.length;
    await client.checkpoint().catch(() => undefined);
    await client.findRoot(1).catch(() => undefined);
    await client.commitments().catch(() => undefined);
    const later = asked.slice(before);
    assert.equal(later.length, 3);
    for (const it of later) assert.deepEqual([it.authorization, it.proof], [undefined, undefined]);
  });

  it('needs a key', async () => {
    await using context = await testContext();
    const client = await connect(context, await configured(context, 'http://127.0.0.1:1'));
    await assert.rejects(client.whoAmI(), { name: 'LoginError' });
  });
});
