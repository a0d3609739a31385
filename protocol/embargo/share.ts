import { split } from 'shamir-secret-sharing';
import { z } from 'zod';
import { documentDigest, encodeDocument, parseDocument } from '../commitment/document.ts';
import { fromBase64, toBase64, toHex, utf8Encode } from '../encoding/bytes.ts';
import { encodeJson, parseJson } from '../encoding/json.ts';
import { parseShape, personId } from '../encoding/shape.ts';
import { ProtocolError } from '../errors.ts';
import { keyName } from '../plan/key-name.ts';
import type { KeyName } from '../plan/key-name.ts';
import { recipientOf } from './age.ts';

/** One holder's part of a key. Fewer than `threshold` of them tell nothing about the key. */
export interface Share {
  readonly campaign: string;
  readonly key: KeyName;
  readonly officer: string;
  /** How many shares make the key, 2 to 255. */
  readonly threshold: number;
  /** How many there are. */
  readonly total: number;
  /** Shamir share over GF(2^8) of the key's text: one byte per character, then the coordinate. */
  readonly share: Uint8Array;
}

/** A share document, and the officer it is from or for. */
export interface OfficerShare {
  readonly officer: string;
  readonly document: Uint8Array;
}

/** `AGE-SECRET-KEY-1` and 58 characters, and the coordinate. */
const SHARE_BYTES = 74 + 1;

const MAX_BODY_BYTES = 1024;

const shareBody = z.strictObject({
  key: keyName,
  officer: personId,
  threshold: z.int().min(2).max(255),
  total: z.int().min(2).max(255),
  share: z.string(),
});

/**
 * Split a key into one share document per officer.
 *
 * @param key - age identity `AGE-SECRET-KEY-1…`.
 * @param options - `officers` are distinct, 2 to 255; `threshold` is 2 to the number of officers.
 * @returns In the order of `officers`. Nonces and coefficients come from secure randomness.
 * @throws {@link ProtocolError} `key_invalid` for a bad key; `share_invalid` for bad numbers.
 */
export async function splitKey(
  key: string,
  options: {
    readonly key: KeyName;
    readonly campaign: string;
    readonly officers: readonly string[];
    readonly threshold: number;
  },
): Promise<OfficerShare[]> {
  const { campaign, officers, threshold } = options;
  const total = officers.length;
  await recipientOf(key);
  if (new Set(officers).size !== total) {
    throw new ProtocolError('share_invalid', 'an officer would get two shares');
  }
  if (!(threshold >= 2 && threshold <= total && total <= 255)) {
    throw new ProtocolError('share_invalid', 'a key is split 2-of-2 to 255-of-255');
  }
  const parts = await split(utf8Encode(key), total, threshold);
  return parts.map((part, index) => {
    const officer = officers[index] ?? '';
    const nonce = toHex(crypto.getRandomValues(new Uint8Array(32)));
    const share = toBase64(part);
    const body = encodeJson({ key: options.key, officer, threshold, total, share });
    const document = encodeDocument({ type: 'share', campaign, nonce, body });
    parseShare(document);
    return { officer, document };
  });
}

/**
 * Read a share document.
 *
 * @throws {@link ProtocolError} `document_invalid`, `encoding_invalid`, `too_large` or
 *   `share_invalid`.
 */
export function parseShare(document: Uint8Array): Share {
  const { type, campaign, body } = parseDocument(document);
  if (type !== 'share') throw new ProtocolError('share_invalid', 'document is not a share');
  const json = parseJson(body, MAX_BODY_BYTES);
  const fields = parseShape(shareBody, json, 'share_invalid', 'share');
  const share = fromBase64(fields.share);
  // At coordinate 0 the polynomial is the key itself, so no honest share has it.
  if (share.length !== SHARE_BYTES || share.at(-1) === 0 || fields.threshold > fields.total) {
    throw new ProtocolError('share_invalid', 'share contradicts itself');
  }
  return { campaign, ...fields, share };
}

/**
 * Check a share document against its commitment in the plan.
 *
 * @param commitment - SHA-256 of the document, from the plan.
 * @throws {@link ProtocolError} `commitment_mismatch`, or what {@link parseShare} throws.
 */
export function verifyShare(document: Uint8Array, commitment: string): Share {
  if (documentDigest(document) !== commitment) {
    throw new ProtocolError('commitment_mismatch', 'share is not the one committed to');
  }
  return parseShare(document);
}
