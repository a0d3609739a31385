import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { base58, base64, base64urlnopad, hex } from '@scure/base';

import { ProtocolError } from '../errors.ts';

const FATAL_UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const UTF8 = new TextEncoder();
const BYTE_ORDER_MARK = '\uFEFF';

/** One base58 digit carries log2(58) bits, so a byte needs at most this many digits. */
const BASE58_DIGITS_PER_BYTE = Math.log(256) / Math.log(58);

/**
 * Encode text as UTF-8.
 *
 * @throws {@link ProtocolError} `encoding_invalid` for a lone surrogate, which UTF-8 cannot carry and
 *   which `TextEncoder` would silently turn into U+FFFD.
 */
export function utf8Encode(text: string): Uint8Array {
  if (!text.isWellFormed())
    throw new ProtocolError('encoding_invalid', 'text has a lone surrogate');
  return UTF8.encode(text);
}

/**
 * Decode UTF-8, refusing what `utf8Encode` cannot have written.
 *
 * @throws {@link ProtocolError} `encoding_invalid` for malformed or overlong sequences, encoded
 *   surrogates, and a byte order mark at the start.
 */
export function utf8Decode(bytes: Uint8Array): string {
  let text: string;
  try {
    text = FATAL_UTF8.decode(bytes);
  } catch {
    throw new ProtocolError('encoding_invalid', 'not UTF-8');
  }
  if (text.startsWith(BYTE_ORDER_MARK)) {
    throw new ProtocolError('encoding_invalid', 'starts with a byte order mark');
  }
  return text;
}

/** Copy `parts` into one new array, in order. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  return joinBytes(parts);
}

/** The same for more parts than a call may have arguments. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Tell whether `a` and `b` hold the same bytes. Looks at every byte, wherever they differ. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  // Bundles pass through here: an indexed loop is ten times as fast as an iterator.
  for (let index = 0; index < a.length; index++) difference |= (a[index] ?? 0) ^ (b[index] ?? 0);
  return difference === 0;
}

/** Encode as lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  return hex.encode(bytes);
}

/**
 * Decode exactly `byteLength` bytes of lower-case hex.
 *
 * @throws {@link ProtocolError} `encoding_invalid`
 */
export function fromHex(text: string, byteLength: number): Uint8Array {
  if (text.length !== byteLength * 2 || !/^[0-9a-f]*$/.test(text)) {
    throw new ProtocolError('encoding_invalid', `not ${byteLength} bytes of lower-case hex`);
  }
  return hex.decode(text);
}

/** Encode as base64 with padding (RFC 4648 §4). */
export function toBase64(bytes: Uint8Array): string {
  return base64.encode(bytes);
}

/**
 * Decode canonical base64 (RFC 4648 §4): padded, no other characters, unused bits zero.
 *
 * @throws {@link ProtocolError} `encoding_invalid`
 */
export function fromBase64(text: string): Uint8Array {
  return decode(text, base64.decode, 'canonical base64');
}

/** Encode as base64url without padding (RFC 4648 §5). */
export function toBase64Url(bytes: Uint8Array): string {
  return base64urlnopad.encode(bytes);
}

/**
 * Decode canonical base64url (RFC 4648 §5): no padding, no other characters, unused bits zero.
 *
 * @throws {@link ProtocolError} `encoding_invalid`
 */
export function fromBase64Url(text: string): Uint8Array {
  return decode(text, base64urlnopad.decode, 'canonical base64url');
}

/** Encode as base58 (Bitcoin's alphabet). Takes quadratic time: for keys and signatures only. */
export function toBase58(bytes: Uint8Array): string {
  return base58.encode(bytes);
}

/**
 * Decode exactly `byteLength` bytes of base58.
 *
 * The length is looked at first, because decoding takes quadratic time.
 *
 * @throws {@link ProtocolError} `encoding_invalid`
 */
export function fromBase58(text: string, byteLength: number): Uint8Array {
  const what = `${byteLength} bytes of base58`;
  const fits =
    text.length >= byteLength && text.length <= Math.ceil(byteLength * BASE58_DIGITS_PER_BYTE);
  if (!fits) throw new ProtocolError('encoding_invalid', `not ${what}`);
  const bytes = decode(text, base58.decode, what);
  if (bytes.length !== byteLength) throw new ProtocolError('encoding_invalid', `not ${what}`);
  return bytes;
}

/** SHA-256 (FIPS 180-4), 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return nobleSha256(bytes);
}

/** SHA-256 as lower-case hex: how every digest is written. */
export function sha256Hex(bytes: Uint8Array): string {
  return toHex(nobleSha256(bytes));
}

/** More than this Node's Web Crypto does not take. */
const MAX_DIGEST_BYTES = 2 ** 31 - 1;

/** As {@link sha256Hex}, by the platform's own code and beside this thread: for megabytes. */
export async function sha256HexOfLarge(bytes: Uint8Array): Promise<string> {
  if (bytes.length > MAX_DIGEST_BYTES) return sha256Hex(bytes);
  // Web Crypto takes no shared memory, and we have none.
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return toHex(new Uint8Array(digest));
}

/** The library's own error quotes its input, which may be secret, so it is not passed on. */
function decode(text: string, decoder: (text: string) => Uint8Array, what: string): Uint8Array {
  try {
    return decoder(text);
  } catch {
    throw new ProtocolError('encoding_invalid', `not ${what}`);
  }
}
