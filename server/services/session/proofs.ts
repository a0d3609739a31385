import { createHash } from 'node:crypto';

import { calculateJwkThumbprint, compactVerify, importJWK } from 'jose';
import { z } from 'zod';

import { fromBase64Url, toBase64Url, toHex, utf8Decode } from '../../../protocol/encoding/bytes.ts';
import { encodeJson, parseJson } from '../../../protocol/encoding/json.ts';
import { hex64 } from '../../../protocol/encoding/shape.ts';
import type { Ed25519PublicKey } from '../../../protocol/signature/ed25519.ts';
import { parseEd25519PublicKey } from '../../../protocol/signature/ed25519.ts';
import { ServiceError } from '../error.ts';

/** How far a proof's clock may be from ours, either way. */
export const PROOF_WINDOW_MS = 60_000;

const MAX_PROOF_LENGTH = 4096;

/** Keys of sessions kept ready for use. The oldest is forgotten first, which only costs time. */
const MAX_HOLDERS = 16_384;

const proofHeader = z.strictObject({
  typ: z.literal('dpop+jwt'),
  alg: z.literal('EdDSA'),
  jwk: z.strictObject({
    kty: z.literal('OKP'),
    crv: z.literal('Ed25519'),
    x: z.string().length(43),
  }),
});

const proofClaims = z.strictObject({
  htm: z.string(),
  htu: z.string(),
  iat: z.int().nonnegative(),
  jti: z.string().regex(/^[A-Za-z0-9_.~-]{16,128}$/),
  nonce: hex64.optional(),
  ath: z.string().max(64).optional(),
});

/** A DPoP proof (RFC 9449) whose signature holds and which is for this request at this time. */
export interface Proof {
  readonly publicKey: Ed25519PublicKey;
  /** RFC 7638 thumbprint of the key. */
  readonly thumbprint: string;
  readonly jti: string;
  readonly nonce: string | undefined;
  readonly ath: string | undefined;
  /** Unix ms. */
  readonly issuedAt: number;
}

/** What a proof must be for. */
export interface ProofTarget {
  readonly method: string;
  /** From the configured public URL, never from a request header; without query. */
  readonly url: string;
}

/** A key that has made a proof before, ready for use. */
interface Holder {
  readonly publicKey: Ed25519PublicKey;
  readonly thumbprint: string;
  readonly key: Awaited<ReturnType<typeof importJWK>>;
}

/** Of a header without white space, whatever the order of its members. */
const HEADER_LENGTH = toBase64Url(
  encodeJson({
    typ: 'dpop+jwt',
    alg: 'EdDSA',
    jwk: { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) },
  }),
).length;

/** By the header of a proof as it was sent, in base64url: whoever holds a key sends the same again. */
const holders = new Map<string, Holder>();

/**
 * Verify a DPoP proof: one algorithm, one type, method, URL, and a time near ours that is not before
 * this process began, because what was seen earlier is not remembered.
 *
 * Whether its `jti` is new, its nonce ours and its key anybody's is for the caller to check.
 *
 * @param since - Unix ms.
 * @param session - Thumbprint of the key that a token is bound to: more proofs of it will come.
 * @throws {@link ServiceError} `login_required`
 */
export async function verifyProof(
  text: string,
  target: ProofTarget,
  { now, since }: { readonly now: number; readonly since: number },
  session?: string,
): Promise<Proof> {
  if (text.length > MAX_PROOF_LENGTH) throw refused('the proof is too long');
  const [header = '', payload = ''] = text.split('.', 2);
  const holder = holders.get(header) ?? (await readHolder(header));
  try {
    await compactVerify(text, holder.key, { algorithms: ['EdDSA'] });
  } catch {
    throw refused('the proof does not verify');
  }
  if (holder.thumbprint === session) remember(header, holder);
  const claims = parsePart(proofClaims, payload);
  const issuedAt = claims.iat * 1000;
  if (claims.htm !== target.method) throw refused('the proof is for another method');
  if (claims.htu !== target.url) throw refused('the proof is for another URL');
  if (Math.abs(now - issuedAt) > PROOF_WINDOW_MS) throw refused('the proof is not of this minute');
  if (issuedAt < since) throw refused('the proof is older than this process');
  return {
    publicKey: holder.publicKey,
    thumbprint: holder.thumbprint,
    jti: claims.jti,
    nonce: claims.nonce,
    ath: claims.ath,
    issuedAt,
  };
}

/** What `ath` must be for an access token. */
export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

/** Importing a key takes longer than verifying with it. */
async function readHolder(header: string): Promise<Holder> {
  const { jwk } = parsePart(proofHeader, header);
  try {
    return {
      publicKey: parseEd25519PublicKey(toHex(fromBase64Url(jwk.x))),
      thumbprint: await calculateJwkThumbprint(jwk),
      key: await importJWK(jwk, 'EdDSA'),
    };
  } catch {
    throw refused('the proof holds no usable key');
  }
}

/**
 * Only keys of sessions that have verified get here: strangers can't push them out, nor can one key
 * with all the ways in which white space can be added to a header.
 */
function remember(header: string, holder: Holder): void {
  if (holders.has(header) || header.length > HEADER_LENGTH) return;
  const [oldest] = holders.keys();
  if (oldest !== undefined && holders.size >= MAX_HOLDERS) holders.delete(oldest);
  // A copy: a part of a string keeps the whole of it, here the proof, in memory.
  holders.set(Buffer.from(header).toString(), holder);
}

function parsePart<T>(schema: z.ZodType<T>, part: string): T {
  try {
    const bytes = fromBase64Url(part);
    utf8Decode(bytes);
    return schema.parse(parseJson(bytes, MAX_PROOF_LENGTH));
  } catch {
    throw refused('the proof is malformed');
  }
}

function refused(reason: string): ServiceError {
  return new ServiceError('login_required', reason);
}
