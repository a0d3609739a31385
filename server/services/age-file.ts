import { fromBase64, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { ServiceError } from './error.ts';

/** How every age file to native recipients begins. */
export const AGE_PREFIX = utf8Encode('age-encryption.org/v1\n-> X25519 ');

/**
 * Refuse to keep what is not encrypted: a slip of an officer must not become ours.
 *
 * @throws {@link ServiceError} `refused`
 */
export function requireAgeFile(bytes: Uint8Array, what: string): void {
  if (!AGE_PREFIX.every((byte, i) => bytes[i] === byte)) {
    throw new ServiceError('refused', `${what} is not an age file`);
  }
}

/** {@link requireAgeFile} for base64, also bounding its length in bytes. */
export function requireAgeText(base64: string, maxBytes: number, what: string): void {
  const bytes = fromBase64(base64);
  if (bytes.length > maxBytes) {
    throw new ServiceError('payload_too_large', `${what} is longer than ${maxBytes} bytes`);
  }
  requireAgeFile(bytes, what);
}
