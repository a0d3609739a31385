import { createHash } from 'node:crypto';
import type { KeyedSigner } from '../../../platform/ed25519.ts';
import { concatBytes, fromBase64Url, fromHex } from '../../../protocol/encoding/bytes.ts';

// Signatures that only the holder of a key can make, and that must not count all the same.

const L = 2n ** 252n + 27742317777372353535851937790883648493n;

/** Encodings of points of small order: the identity, and one of order 2, 4 and 8 each. */
export const SMALL_ORDER = {
  identity: `01${'00'.repeat(31)}`,
  two: `ec${'ff'.repeat(30)}7f`,
  four: '00'.repeat(32),
  eight: '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
} as const;

/**
 * Sign with R of small order: S = H(R ‖ A ‖ M) · a, so that the equation holds for the identity,
 * and holds but for a part of small order for the others.
 */
export function signWithSmallR(signer: KeyedSigner, message: Uint8Array, r: string): Uint8Array {
  const { d } = signer.privateKey.export({ format: 'jwk' });
  const seedHash = createHash('sha512')
    .update(fromBase64Url(d ?? ''))
    .digest();
  const scalarBytes = Uint8Array.from(seedHash.subarray(0, 32));
  scalarBytes[0] = (scalarBytes[0] ?? 0) & 248;
  scalarBytes[31] = ((scalarBytes[31] ?? 0) & 63) | 64;
  const point = fromHex(r, 32);
  const challenge = createHash('sha512')
    .update(concatBytes(point, fromHex(signer.publicKey, 32), message))
    .digest();
  const s = (littleEndian(challenge) * littleEndian(scalarBytes)) % L;
  return concatBytes(point, bytesOf(s));
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of Uint8Array.from(bytes).reverse()) value = (value << 8n) | BigInt(byte);
  return value;
}

function bytesOf(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, index) => Number((value >> BigInt(8 * index)) & 255n));
}
