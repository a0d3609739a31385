import { hash, randomBytes } from 'node:crypto';

import { utf8Encode } from '../../protocol/encoding/bytes.ts';
import { formatInstant } from '../../protocol/encoding/time.ts';
import { formatLeaf } from '../../protocol/log/leaf.ts';
import { leafHash } from '../../protocol/log/merkle.ts';
import type { OpeningKind } from '../../protocol/log/opening.ts';
import { encodeOpening } from '../../protocol/log/opening.ts';
import { signReceipt } from '../../protocol/log/receipt.ts';
import type { NoteSigner } from '../../protocol/signature/note.ts';

/** Something accepted, as it goes into the log: the opening is kept, a leaf that hides it is added. */
export interface SealedEntry {
  readonly campaign: string;
  readonly kind: OpeningKind;
  /** SHA-256 of the opening. */
  readonly digest: string;
  /** Base64 of the opening. */
  readonly opening: string;
}

/** A sealed entry together with the log's signed promise to hold it. */
export interface Receipted extends SealedEntry {
  readonly receipt: string;
  /** Instant that the receipt names. */
  readonly acceptedAt: string;
}

/** What answers whatever was accepted; see `receiptResponse`. */
export interface Acceptance {
  readonly receipt: string;
  readonly opening: string;
}

/** Hide `content` behind a fresh 256-bit nonce. */
export function sealEntry(campaign: string, kind: OpeningKind, content: Uint8Array): SealedEntry {
  const nonce = randomBytes(32).toString('hex');
  const opening = encodeOpening({ campaign, nonce, kind, content });
  const base64 = Buffer.from(opening.buffer, opening.byteOffset, opening.length).toString('base64');
  return { campaign, kind, digest: hash('sha256', opening), opening: base64 };
}

/** Seal `content` and promise that its leaf will be in the log. */
export function sealWithReceipt(
  log: NoteSigner,
  at: number,
  campaign: string,
  kind: OpeningKind,
  content: Uint8Array,
): Receipted {
  const entry = sealEntry(campaign, kind, content);
  return {
    ...entry,
    receipt: promiseLeaf(log, at, entry.digest),
    acceptedAt: formatInstant(at),
  };
}

/**
 * Promise that the leaf of an opening will be in the log: the same receipt for the same instant.
 *
 * @param digest - SHA-256 of the opening.
 */
export function promiseLeaf(log: NoteSigner, at: number, digest: string): string {
  const leaf = utf8Encode(formatLeaf({ type: 'sealed', sha256: digest }));
  return signReceipt({ origin: log.name, leafHash: leafHash(leaf), at }, log);
}
