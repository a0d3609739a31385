import { ProtocolError } from '../errors.ts';

/**
 * Tokens of a timestamping authority (RFC 3161) beside a log: a signed checkpoint as it was published,
 * and the authority's response over its bytes. Each covers every leaf up to its size.
 */
export const TIMESTAMPS = {
  /** Sizes of which there are both files. */
  index: 'timestamps/index',
  checkpoint: (size: number): string => `timestamps/${size}.checkpoint`,
  token: (size: number): string => `timestamps/${size}.tsr`,
} as const;

/** A checkpoint as it was published once, and a timestamping authority's response over it. */
export interface TimestampedCheckpoint {
  readonly size: number;
  readonly checkpoint: Uint8Array;
  readonly token: Uint8Array;
}

const PATH = /^timestamps\/(?:index|(?:0|[1-9]\d{0,15})\.(?:checkpoint|tsr))$/;
const INDEX = /^(?:(?:0|[1-9]\d{0,15})\n)*$/;
/** A token an hour for thirty years. */
const MAX_INDEX_CHARACTERS = 4_000_000;

/** Whether something could lie at this path below the log's prefix. */
export function isTimestampPath(path: string): boolean {
  return PATH.test(path);
}

/** One size a line, ascending. */
export function formatTimestampIndex(sizes: Iterable<number>): string {
  return [...sizes]
    .sort((a, b) => a - b)
    .map((size) => `${size}\n`)
    .join('');
}

/**
 * The exact inverse of {@link formatTimestampIndex}.
 *
 * @throws {@link ProtocolError} `encoding_invalid` for anything else; `too_large`.
 */
export function parseTimestampIndex(text: string): readonly number[] {
  if (text.length > MAX_INDEX_CHARACTERS) {
    throw new ProtocolError('too_large', 'index of timestamps too long');
  }
  const sizes = INDEX.test(text) ? text.split('\n').slice(0, -1).map(Number) : undefined;
  const isSorted = sizes?.every(
    (size, i) => Number.isSafeInteger(size) && size > (sizes[i - 1] ?? -1),
  );
  if (sizes === undefined || isSorted !== true) {
    throw new ProtocolError('encoding_invalid', 'malformed index of timestamps');
  }
  return sizes;
}
