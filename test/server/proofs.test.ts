import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { calculateJwkThumbprint } from 'jose';

import { generateSeed, signerFromSeed } from '../../platform/ed25519.ts';
import { fromHex, toBase64Url, utf8Encode } from '../../protocol/encoding/bytes.ts';
import type { Signer } from '../../protocol/signature/ed25519.ts';
import { verifyProof } from '../../server/services/session/proofs.ts';

const NOW = 1_790_000_000_000;
const URL = 'https://sealdrop.example/v1/auth/token';
const COUNT = 300;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function jwkOf(signer: Signer): { kty: string; crv: string; x: string } {
  return { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(fromHex(signer.publicKey, 32)) };
}

/** A proof that holds, with as much white space in header and payload as asked for. */
function paddedProof(signer: Signer, inHeader: number, inPayload: number): string {
  const jwk = JSON.stringify(jwkOf(signer));
  const header = `{"typ":"dpop+jwt",${' '.repeat(inHeader)}"alg":"EdDSA","jwk":${jwk}}`;
  const claims = { htm: 'POST', htu: URL, iat: NOW / 1000, jti: 'a'.repeat(22) };
  const payload = `${' '.repeat(inPayload)}${JSON.stringify(claims)}`;
  const text = [header, payload].map((part) => toBase64Url(utf8Encode(part))).join('.');
  return `${text}.${toBase64Url(signer.sign(utf8Encode(text)))}`;
}

/** Bytes of heap that verifying `COUNT` proofs leaves behind, in sessions of their keys or before. */
async function bytesKept(
  signerOf: () => Signer,
  pad: (i: number) => readonly [number, number],
  inSession = true,
): Promise<number> {
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < COUNT; i++) {
    const signer = signerOf();
    const thumbprint = await calculateJwkThumbprint(jwkOf(signer));
    // As the HTTP parser hands it over: in one piece.
    const text = Buffer.from(paddedProof(signer, ...pad(i))).toString('latin1');
    const session = inSession ? thumbprint : undefined;
    await verifyProof(text, { method: 'POST', url: URL }, { now: NOW, since: 0 }, session);
  }
  collectGarbage();
  return process.memoryUsage().heapUsed - before;
}

const newSigner = (): Signer => signerFromSeed(generateSeed());

describe('the keys of proofs kept ready', () => {
  it('take no more memory however one key spells its header', async () => {
    const signer = newSigner();
    await bytesKept(
      () => signer,
      () => [0, 0],
    );
    const kept = await bytesKept(
      () => signer,
      (i) => [1500 + i, 0],
    );
    assert.ok(kept < COUNT * 1500, `${kept} bytes`);
  });

  it('are those of sessions alone, and keep nothing of the proof that they came with', async () => {
    await bytesKept(newSigner, () => [0, 0], false);
    const strangers = await bytesKept(newSigner, () => [0, 0], false);
    const short = await bytesKept(newSigner, () => [0, 0]);
    const long = await bytesKept(newSigner, () => [0, 2500]);
    assert.ok(strangers < COUNT * 900, `${strangers} bytes of strangers`);
    assert.ok(short > COUNT * 1200, `${short} bytes`);
    assert.ok(long - short < COUNT * 1000, `${long - short} bytes more`);
  });
});
