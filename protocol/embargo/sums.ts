import { utf8Decode, utf8Encode } from '../encoding/bytes.ts';
import { fileName, hex64 } from '../encoding/shape.ts';
import { ProtocolError } from '../errors.ts';

/** One line of SHA256SUMS: a file and the lower-case hex SHA-256 of its bytes. */
export interface FileSum {
  readonly name: string;
  readonly sha256: string;
}

/** The name of the list itself, which it cannot contain. */
export const SUMS_NAME = 'SHA256SUMS';

const MAX_SUMS_BYTES = 256 * 1024;
const LINE = /^([0-9a-f]{64}) {2}([A-Za-z0-9._-]+)$/;

/**
 * Write `SHA256SUMS`, the list that operators check with `sha256sum --strict -c`: per file 64 hex,
 * two spaces, name, newline; sorted bytewise by name.
 *
 * @param sums - At least one; names as `fileName` allows, so coreutils never has to escape one.
 * @throws {@link ProtocolError} `bundle_invalid` for a bad name or digest, a name twice, an empty
 *   list, or the list itself in the list.
 */
export function encodeSums(sums: readonly FileSum[]): Uint8Array {
  const lines = new Map<string, string>();
  for (const { name, sha256 } of sums) {
    if (!fileName.safeParse(name).success || name === SUMS_NAME) {
      throw new ProtocolError('bundle_invalid', 'file name in SHA256SUMS breaks the grammar');
    }
    if (!hex64.safeParse(sha256).success) {
      throw new ProtocolError('bundle_invalid', 'digest in SHA256SUMS breaks the grammar');
    }
    if (lines.has(name)) throw new ProtocolError('bundle_invalid', 'file name twice in SHA256SUMS');
    lines.set(name, `${sha256}  ${name}\n`);
  }
  if (lines.size === 0) throw new ProtocolError('bundle_invalid', 'SHA256SUMS is empty');
  const sorted = [...lines].sort(([a], [b]) => (a < b ? -1 : 1));
  return utf8Encode(sorted.map(([, line]) => line).join(''));
}

/**
 * Read `SHA256SUMS`, the exact inverse of {@link encodeSums}: every list of sums has one encoding.
 *
 * @param bytes - Untrusted; at most 256 KiB.
 * @throws {@link ProtocolError} `too_large`, `encoding_invalid`, `bundle_invalid`.
 */
export function parseSums(bytes: Uint8Array): FileSum[] {
  if (bytes.length > MAX_SUMS_BYTES) throw new ProtocolError('too_large', 'SHA256SUMS is too long');
  const text = utf8Decode(bytes);
  if (!text.endsWith('\n')) {
    throw new ProtocolError('bundle_invalid', 'SHA256SUMS does not end with a newline');
  }
  const sums = text
    .slice(0, -1)
    .split('\n')
    .map((line) => {
      const [, sha256, name] = LINE.exec(line) ?? [];
      if (sha256 === undefined || name === undefined) {
        throw new ProtocolError('bundle_invalid', 'line of SHA256SUMS breaks the grammar');
      }
      return { name, sha256 };
    });
  if (utf8Decode(encodeSums(sums)) !== text) {
    throw new ProtocolError('bundle_invalid', 'SHA256SUMS is not sorted by name');
  }
  return sums;
}
