import { z } from 'zod';
import { fromBase58, toHex } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import { parseEd25519PublicKey } from '../signature/ed25519.ts';
import type { Ed25519PublicKey } from '../signature/ed25519.ts';

/**
 * The base58 text of a 32-byte address, by its characters only.
 *
 * Decoding comes where a key is used ({@link identityKey}) or a snapshot is read; a text that is no
 * address matches no row of a snapshot and counts for nothing.
 */
export const addressText = z.string().regex(/^[1-9A-HJ-NP-Za-km-z]{32,44}$/, 'a base58 address');

/**
 * The public key that a validator identity stands for.
 *
 * @throws {@link ProtocolError} `encoding_invalid` unless base58 of 32 bytes; `key_invalid` for a
 *   key of small or mixed order, with which anyone could sign.
 */
export function identityKey(identity: string): Ed25519PublicKey {
  return parseEd25519PublicKey(toHex(fromBase58(identity, 32)));
}

/**
 * Check that a row's account is base58 of 32 bytes, on the curve or not.
 *
 * @throws {@link ProtocolError} `snapshot_invalid`
 */
export function checkAddress(address: string): void {
  try {
    fromBase58(address, 32);
  } catch {
    throw new ProtocolError('snapshot_invalid', 'a row holds what is not a base58 address');
  }
}
