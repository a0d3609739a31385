import { ProtocolError } from '../errors.ts';

/**
 * One entry of the log. Indexes are those of earlier sealed leaves in the same log; digests are
 * SHA-256 in lower-case hex.
 *
 * A `sealed` leaf hides what it stands for: it holds the digest of an opening (see `opening.ts`),
 * whose nonce keeps it from being guessed. In the end each one is accounted for by exactly one
 * `opened`, `dummy` or `withheld` leaf. The latter two speak of every sealed leaf from `first` to
 * `last`, both included: dummies are many and stand side by side.
 */
export type Leaf =
  | { readonly type: 'commitment' | 'snapshot' | 'sealed'; readonly sha256: string }
  | { readonly type: 'root'; readonly version: number; readonly sha256: string }
  | { readonly type: 'disclosure'; readonly campaign: string; readonly commitment: string }
  | { readonly type: 'opened'; readonly index: number }
  | ({ readonly type: 'dummy' } & LeafSpan)
  | ({ readonly type: 'withheld'; readonly reason: string } & LeafSpan);

/** Leaves by their indexes, `first ≤ last`. */
export interface LeafSpan {
  readonly first: number;
  readonly last: number;
}

const GRAMMAR: readonly (readonly [RegExp, (fields: readonly (string | undefined)[]) => Leaf])[] = [
  [/^sealed\/v1 ([0-9a-f]{64})\n$/, ([sha256 = '']) => ({ type: 'sealed', sha256 })],
  [/^open\/v1 commitment ([0-9a-f]{64})\n$/, ([sha256 = '']) => ({ type: 'commitment', sha256 })],
  [/^open\/v1 snapshot ([0-9a-f]{64})\n$/, ([sha256 = '']) => ({ type: 'snapshot', sha256 })],
  [
    /^open\/v1 root ([1-9]\d*) ([0-9a-f]{64})\n$/,
    ([version, sha256 = '']) => ({ type: 'root', version: parseCount(version), sha256 }),
  ],
  [
    /^open\/v1 disclosure (SDX-\d{4}-[0-9A-Z]{4}) ([0-9a-f]{64})\n$/,
    ([campaign = '', commitment = '']) => ({ type: 'disclosure', campaign, commitment }),
  ],
  [/^opened\/v1 (0|[1-9]\d*)\n$/, ([index]) => ({ type: 'opened', index: parseCount(index) })],
  [
    /^dummy\/v1 (0|[1-9]\d*)(?:-([1-9]\d*))?\n$/,
    ([first, last]) => ({ type: 'dummy', ...parseSpan(first, last) }),
  ],
  [
    /^withheld\/v1 (0|[1-9]\d*)(?:-([1-9]\d*))? ([a-z][a-z0-9-]{0,31})\n$/,
    ([first, last, reason = '']) => ({ type: 'withheld', ...parseSpan(first, last), reason }),
  ],
];

/**
 * Write a leaf: one line of ASCII with its newline, the exact bytes that are hashed.
 *
 * @throws {@link ProtocolError} `leaf_invalid` for a field that {@link parseLeaf} would refuse.
 */
export function formatLeaf(leaf: Leaf): string {
  const text = `${fieldsOf(leaf)}\n`;
  parseLeaf(text);
  return text;
}

/**
 * Parse a leaf; the exact inverse of {@link formatLeaf}.
 *
 * @throws {@link ProtocolError} `leaf_invalid`
 */
export function parseLeaf(text: string): Leaf {
  for (const [pattern, build] of GRAMMAR) {
    const match = pattern.exec(text);
    if (match !== null) return build(match.slice(1));
  }
  throw new ProtocolError('leaf_invalid', 'not a leaf of this log');
}

type Accounting = Extract<Leaf, { type: 'opened' | 'dummy' | 'withheld' }>;

/** The sealed leaves that a leaf accounts for; `undefined` for one that accounts for none. */
export function accountedSpan(leaf: Accounting): LeafSpan;
export function accountedSpan(leaf: Leaf): LeafSpan | undefined;
export function accountedSpan(leaf: Leaf): LeafSpan | undefined {
  if (leaf.type === 'opened') return { first: leaf.index, last: leaf.index };
  return leaf.type === 'dummy' || leaf.type === 'withheld' ? leaf : undefined;
}

function fieldsOf(leaf: Leaf): string {
  switch (leaf.type) {
    case 'commitment':
    case 'snapshot':
      return `open/v1 ${leaf.type} ${leaf.sha256}`;
    case 'root':
      return `open/v1 root ${leaf.version} ${leaf.sha256}`;
    case 'disclosure':
      return `open/v1 disclosure ${leaf.campaign} ${leaf.commitment}`;
    case 'sealed':
      return `sealed/v1 ${leaf.sha256}`;
    case 'opened':
      return `opened/v1 ${leaf.index}`;
    case 'dummy':
      return `dummy/v1 ${formatSpan(leaf)}`;
    case 'withheld':
      return `withheld/v1 ${formatSpan(leaf)} ${leaf.reason}`;
  }
}

function formatSpan({ first, last }: LeafSpan): string {
  return first === last ? `${first}` : `${first}-${last}`;
}

function parseSpan(first: string | undefined, last: string | undefined): LeafSpan {
  const start = parseCount(first);
  const end = last === undefined ? start : parseCount(last);
  if (last !== undefined && start >= end)
    throw new ProtocolError('leaf_invalid', 'leaves in the wrong order');
  return { first: start, last: end };
}

function parseCount(digits: string | undefined): number {
  const count = Number(digits);
  if (!Number.isSafeInteger(count))
    throw new ProtocolError('leaf_invalid', 'number above 2^53 - 1');
  return count;
}
