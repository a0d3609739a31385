import { combine, split } from 'shamir-secret-sharing';
import { z } from 'zod';
import { documentDigest, encodeDocument, parseDocument } from '../commitment/document.ts';
import { thresholdOf } from '../plan/splits.ts';
import type { Plan } from '../plan/plan.ts';
import { equalBytes, fromBase64, toBase64, toHex, utf8Encode } from '../encoding/bytes.ts';
import { encodeJson, parseJson } from '../encoding/json.ts';
import { parseShape, personId } from '../encoding/shape.ts';
import { ProtocolError } from '../errors.ts';
import { recipientOf } from './age.ts';
import { keyName } from '../plan/key-name.ts';
import type { KeyName } from '../plan/key-name.ts';

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

/** A share that did not count, and why. `reason` never holds a part of the share. */
export interface BadShare {
  readonly officer: string;
  readonly reason: string;
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

/**
 * Combine published shares into the key.
 *
 * Every share is checked against the plan on its own, so a bad one is named and left out, and the
 * key is checked against the plan's recipient. One officer counts once.
 *
 * @param shares - Untrusted, in any order, also repeated; `officer` is who published it.
 * @returns The key's identity, and the shares that did not count.
 * @throws {@link ProtocolError} `threshold_unmet` with fewer officers' good shares than the plan
 *   asks for (the message names the officers whose shares were bad); `key_mismatch` when the
 *   shares are those of the plan but the key is not.
 */
export async function combineShares(
  shares: readonly OfficerShare[],
  plan: Plan,
  key: KeyName,
): Promise<{ key: string; bad: BadShare[] }> {
  const good = new Map<string, Share>();
  const bad: BadShare[] = [];
  for (const { officer, document } of shares) {
    try {
      good.set(officer, verifyPlannedShare(document, plan, key, officer));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      bad.push({ officer, reason: error.message });
    }
  }
  const threshold = thresholdOf(plan, key);
  if (good.size < threshold) {
    const names = [...new Set(bad.map(({ officer }) => officer))].sort().join(', ');
    const message = `${good.size} of ${threshold} shares of the ${key} key`;
    throw new ProtocolError(
      'threshold_unmet',
      names === '' ? message : `${message}; bad: ${names}`,
    );
  }
  const parts = [...good.values()].slice(0, threshold);
  return { key: await combineParts(parts, recipientIn(plan, key)), bad };
}

/**
 * Check that a share is the one the plan gives to `officer` for `key`.
 *
 * @throws {@link ProtocolError} `share_invalid` or `commitment_mismatch`.
 */
export function verifyPlannedShare(
  document: Uint8Array,
  plan: Plan,
  key: KeyName,
  officer: string,
): Share {
  const planned = plan.shares.find((share) => share.key === key && share.officer === officer);
  if (planned === undefined) {
    throw new ProtocolError(
      'share_invalid',
      `no share of the ${key} key is planned for this officer`,
    );
  }
  const share = verifyShare(document, planned.sha256);
  const total = plan.shares.filter((other) => other.key === key).length;
  const isPlanned =
    share.campaign === plan.campaign &&
    share.key === key &&
    share.officer === officer &&
    share.threshold === thresholdOf(plan, key) &&
    share.total === total;
  if (!isPlanned) throw new ProtocolError('share_invalid', 'share contradicts the plan');
  return share;
}

/**
 * Check that any t of these shares, t as the plan says, make the key, and one fewer do not.
 *
 * It is enough to exchange the last of the first t shares for each of the others: a share that lies
 * off the polynomial moves its value at zero, so every share is on it if the key never changes. Two of them
 * at one coordinate are one share, though, with which two holders count once.
 *
 * @param shares - All shares of `key`, each already checked by {@link verifyPlannedShare}.
 * @throws {@link ProtocolError} `key_mismatch`; `share_invalid` when fewer shares would do.
 */
export async function checkSplit(
  shares: readonly Share[],
  plan: Plan,
  key: KeyName,
): Promise<void> {
  const threshold = thresholdOf(plan, key);
  if (new Set(shares.map(({ share }) => share.at(-1))).size !== shares.length) {
    throw new ProtocolError('key_mismatch', 'two shares are at one coordinate');
  }
  const fixed = shares.slice(0, threshold - 1);
  for (const last of shares.slice(threshold - 1)) {
    await combineParts([...fixed, last], recipientIn(plan, key));
  }
  const last = shares.at(-1);
  const identity = last && utf8Encode(await combineParts([...fixed, last], recipientIn(plan, key)));
  const fewer =
    fixed.length > 1
      ? await combine(fixed.map(({ share }) => share))
      : fixed[0]?.share.slice(0, -1);
  if (!identity || !fewer || equalBytes(identity, fewer)) {
    throw new ProtocolError('share_invalid', 'the key opens with fewer shares than the plan says');
  }
}

function recipientIn(plan: Plan, key: KeyName): string {
  return key === 'closing' ? plan.closingRecipient : plan.releaseRecipient;
}

async function combineParts(shares: readonly Share[], recipient: string): Promise<string> {
  try {
    const secret = await combine(shares.map(({ share }) => share));
    const identity = new TextDecoder().decode(secret);
    if ((await recipientOf(identity)) === recipient) return identity;
  } catch {
    // Two shares with one coordinate, or a text that is no identity: both say the same thing.
  }
  throw new ProtocolError('key_mismatch', 'the shares do not make the key of this recipient');
}
