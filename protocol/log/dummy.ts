import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';

import { encodeDocument } from '../commitment/document.ts';
import { fromHex, toHex, utf8Encode } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import { sealedLeaf } from './opening.ts';
import type { Leaf } from './leaf.ts';
import { NO_CAMPAIGN } from './opening.ts';

/**
 * A key that opens the dummies among the leaves `index · 2^level` to `(index + 1) · 2^level - 1`, and
 * no others.
 *
 * The nonce of every dummy hangs in one binary tree: from a key of level `l` follow the two of level
 * `l - 1` below it, and one of level 0 is the nonce of the dummy at its index. So a log keeps one
 * secret for all its dummies, and a few keys open all of them up to a point and none behind it.
 */
export interface DummyKey {
  /** 0 to {@link DUMMY_LEVELS}. */
  readonly level: number;
  readonly index: number;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

/** Level of the key that opens every dummy; the log may have 2^48 leaves. */
export const DUMMY_LEVELS = 48;

const KEY_BYTES = 32;
const BODY = utf8Encode('dummy/v1\n');
/** What the keys of the left and the right child are the HMAC-SHA256 of, under the key above them. */
const CHILDREN = [utf8Encode('sealdrop-dummy/v1 0'), utf8Encode('sealdrop-dummy/v1 1')] as const;
const KEY_LINE = /^(0|[1-9]\d?) (0|[1-9]\d{0,15}) ([0-9a-f]{64})$/;

/** Finds the nonces of dummies; fastest when asked in the order of the log. */
export type DummyNonces = (leaf: number) => Uint8Array | undefined;

/** What opens the dummy with this nonce: a sealed document that says `dummy/v1`. */
export function dummyOpening(nonce: Uint8Array): Uint8Array {
  return encodeDocument({
    type: 'opening',
    campaign: NO_CAMPAIGN,
    nonce: toHex(nonce),
    body: BODY,
  });
}

/** The leaf of a dummy, which nobody without its nonce can tell from any other sealed leaf. */
export function dummyLeaf(nonce: Uint8Array): Leaf {
  return sealedLeaf(dummyOpening(nonce));
}

/**
 * Derive nonces from keys.
 *
 * @param keys - Which together may cover any leaves; `undefined` comes for those that none covers.
 */
export function dummyNonces(keys: readonly DummyKey[]): DummyNonces {
  const paths = keys.map(pathBelow);
  return (leaf) => {
    for (const path of paths) {
      const nonce = path(leaf);
      if (nonce !== undefined) return nonce;
    }
    return undefined;
  };
}

/** Walks down from a key, starting where the last walk parted from this one. */
function pathBelow(top: DummyKey): DummyNonces {
  const path: DummyKey[] = [top];
  return (leaf) => {
    if (Math.floor(leaf / 2 ** top.level) !== top.index) return undefined;
    while (!isAbove(path.at(-1), leaf)) path.pop();
    for (let above = path.at(-1) ?? top; above.level > 0;) {
      const level = above.level - 1;
      const index = Math.floor(leaf / 2 ** level);
      above = { level, index, key: childKey(above.key, index % 2 === 0 ? 0 : 1) };
      path.push(above);
    }
    return path.at(-1)?.key;
  };
}

function isAbove(key: DummyKey | undefined, leaf: number): boolean {
  return key === undefined || Math.floor(leaf / 2 ** key.level) === key.index;
}

function childKey(key: Uint8Array, side: 0 | 1): Uint8Array {
  return hmac(sha256, key, CHILDREN[side]);
}

/**
 * The keys that open the dummies among the first `end` leaves, and nothing behind them; at most
 * {@link DUMMY_LEVELS}, in the order of the log.
 *
 * @param seed - The log's one secret, 32 bytes.
 */
export function dummyKeysBelow(seed: Uint8Array, end: number): DummyKey[] {
  requireEnd(end);
  const keys: DummyKey[] = [];
  let above: DummyKey = { level: DUMMY_LEVELS, index: 0, key: seed };
  // Follow the path to the leaf `end`: whatever it leaves on its left is covered.
  while (above.level > 0) {
    const level = above.level - 1;
    const left = { level, index: above.index * 2, key: childKey(above.key, 0) };
    const isRight = Math.floor(end / 2 ** level) !== left.index;
    if (isRight) keys.push(left);
    above = isRight ? { level, index: left.index + 1, key: childKey(above.key, 1) } : left;
  }
  return keys;
}

/** Write keys as text, one a line: level, index and the key in hex. */
export function formatDummyKeys(keys: readonly DummyKey[]): string {
  return keys.map(({ level, index, key }) => `${level} ${index} ${toHex(key)}\n`).join('');
}

/**
 * Parse keys; the exact inverse of {@link formatDummyKeys}.
 *
 * @returns Keys that together cover the first leaves up to some end, in order.
 * @throws {@link ProtocolError} `leaf_invalid` for anything else.
 */
export function parseDummyKeys(text: string): DummyKey[] {
  if (text !== '' && !text.endsWith('\n')) throw malformed();
  const lines = text.split('\n').slice(0, -1);
  let end = 0;
  let above = DUMMY_LEVELS;
  return lines.map((line) => {
    const [, level, index, key] = KEY_LINE.exec(line) ?? [];
    const parsed = {
      level: Number(level),
      index: Number(index),
      key: fromHex(key ?? '', KEY_BYTES),
    };
    // One way only to cover the leaves up to an end: in order, each smaller than the one before.
    const isNext = parsed.level < above && parsed.index * 2 ** parsed.level === end;
    if (!isNext) throw malformed();
    above = parsed.level;
    end += 2 ** parsed.level;
    return parsed;
  });
}

/** How many leaves, from the first on, such keys cover. */
export function dummyKeysEnd(keys: readonly DummyKey[]): number {
  return keys.reduce((sum, { level }) => sum + 2 ** level, 0);
}

function requireEnd(end: number): void {
  if (!Number.isSafeInteger(end) || end < 0 || end >= 2 ** DUMMY_LEVELS) {
    throw new ProtocolError('leaf_invalid', 'no log is that long');
  }
}

function malformed(): ProtocolError {
  return new ProtocolError('leaf_invalid', 'malformed keys of dummies');
}
