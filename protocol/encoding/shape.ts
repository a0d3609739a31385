import { bech32 } from '@scure/base';
import { z } from 'zod';

import type { ProtocolErrorCode } from '../errors.ts';
import { ProtocolError } from '../errors.ts';
import { fromBase58 } from './bytes.ts';
import { parseInstant, parseTime } from './time.ts';

// Compiling schemas with `new Function` would break pages whose policy forbids it.
z.config({ jitless: true });

const NETWORK_PREFIX = 'solana:';

/**
 * Check that `value` has the shape of `schema`.
 *
 * @param what - Names the object in the message, such as `plan`.
 * @throws {@link ProtocolError} `code`; the message names the first offending path and the kind of
 *   mistake, never the value found there.
 */
export function parseShape<T>(
  schema: z.ZodType<T>,
  value: unknown,
  code: ProtocolErrorCode,
  what: string,
): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = [what, ...(issue?.path ?? [])].map(String).join('.');
  throw new ProtocolError(code, `${path}: ${issue?.code ?? 'invalid'}`);
}

/** A SHA-256 digest or other 32 bytes, lower-case hex. */
export const hex64 = z.string().regex(/^[0-9a-f]{64}$/);

/** A time to the second, see {@link parseTime}. Stays text. */
export const time = z.string().refine(succeeds(parseTime));

/** A server-observed instant to the millisecond, see {@link parseInstant}. Stays text. */
export const instant = z.string().refine(succeeds(parseInstant));

/** A campaign's id: `SDX-2026-7KQ4`. */
export const campaignId = z.string().regex(/^SDX-\d{4}-[0-9A-Z]{4}$/);

/** The id of a person, an officer or a variant. */
export const personId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/);

/** What a person or a firm is known by: 1 to 100 characters of printable ASCII, no space at an end. */
export const printableName = z.string().regex(/^[!-~](?:[ -~]{0,98}[!-~])?$/);

/** `solana:` and the genesis hash, 32 bytes in base58. */
export const networkId = z
  .string()
  .startsWith(NETWORK_PREFIX)
  .refine(succeeds((text) => fromBase58(text.slice(NETWORK_PREFIX.length), 32)));

/** The name of a file in a bundle: one path segment, ASCII, no leading dot. */
export const fileName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/);

/** The name of a committed document. */
export const documentName = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/);

/** An amount of stake in base units: decimal text without leading zeros, below 10^39. Stays text. */
export const stakeText = z.string().regex(/^(?:0|[1-9][0-9]{0,38})$/);

/** Bytes as canonical base64 (RFC 4648 §4). The length is bounded again where they are decoded. */
export const base64 = z
  .string()
  .max(8_388_608)
  .regex(/^[A-Za-z0-9+/]*={0,2}$/);

/** A PGP MESSAGE or PUBLIC KEY block. */
export const armored = z.string().min(1).max(1_048_576);

/** A count, sequence number or size: an integer from 0 to 2^53 − 1. */
export const safeCount = z.int().nonnegative();

/** An age X25519 recipient: `age1…`, lower-case Bech32 of 32 bytes, checksum included. */
export const ageRecipient = z
  .string()
  .regex(/^age1[02-9ac-hj-np-z]{58}$/)
  .refine(succeeds((text) => bech32.decodeToBytes(text)));

/**
 * The base of a mirror, which a plan sends every operator's machine to: https, a host by its name, and
 * plain path segments. In its one spelling, so without user, query, final slash or default port; and
 * never an address of the asker's own network written as numbers.
 */
export const mirrorUrl = z
  .string()
  .max(200)
  .regex(
    /^https:\/\/(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,20}[a-z][a-z0-9-]{0,61}[a-z0-9](?::[1-9][0-9]{0,4})?(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,99}){0,20}$/,
  )
  .refine((text) => [text, `${text}/`].includes(URL.parse(text)?.href ?? ''));

/**
 * Where somebody posted something for people to look at: https, a host by its name, and visible ASCII
 * in the one spelling of the URL standard, query and fragment included. Nobody's machine follows it.
 */
export const postedUrl = z
  .string()
  .max(300)
  .regex(
    /^https:\/\/(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,20}[a-z][a-z0-9-]{0,61}[a-z0-9]\/[A-Za-z0-9._~!$&'()*+,;=:@%/?#-]*$/,
  )
  .refine((text) => URL.parse(text)?.href === text);

/** The most mirrors that a plan names. */
export const MAX_MIRRORS = 16;

/** Turn a parser that throws into the question whether it accepts its input. */
export function succeeds(parse: (text: string) => unknown): (text: string) => boolean {
  return (text) => {
    try {
      parse(text);
      return true;
    } catch {
      return false;
    }
  };
}
