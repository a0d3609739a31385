import { z } from 'zod';
import { equalBytes, utf8Encode } from '../encoding/bytes.ts';
import { parseJson } from '../encoding/json.ts';
import { campaignId, hex64, parseShape, safeCount } from '../encoding/shape.ts';
import { ProtocolError } from '../errors.ts';

/** One file of a record. `path` is relative, its segments plain names. */
export interface IndexEntry {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/** `record.json`: every other file of a record, sorted bytewise by path. */
export interface RecordIndex {
  readonly campaign: string;
  readonly files: readonly IndexEntry[];
}

export const INDEX_PATH = 'record.json';

export const MAX_INDEX_BYTES = 256 * 1024 * 1024;

/** No empty segment, none with a leading dot, no backslash or colon: safe wherever it is written. */
const PATH = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}(?:\/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){0,11}$/;

const indexShape = z.strictObject({
  format: z.literal('sealdrop-record/v1'),
  campaign: campaignId,
  files: z.array(z.strictObject({ path: z.string().regex(PATH), size: safeCount, sha256: hex64 })),
});

/** Write `record.json`. Indented, because people read it. */
export function encodeRecordIndex({ campaign, files }: RecordIndex): Uint8Array {
  const json = { format: 'sealdrop-record/v1', campaign, files };
  return utf8Encode(`${JSON.stringify(json, null, 1)}\n`);
}

/**
 * Read `record.json`, the exact inverse of {@link encodeRecordIndex}.
 *
 * @throws {@link ProtocolError} `encoding_invalid`, also for a path that leaves the record, that
 *   names the index itself, or that is not in its place in the order.
 */
export function parseRecordIndex(bytes: Uint8Array): RecordIndex {
  const json = parseJson(bytes, MAX_INDEX_BYTES);
  const { campaign, files } = parseShape(indexShape, json, 'encoding_invalid', INDEX_PATH);
  for (const [i, { path }] of files.entries()) {
    const before = files[i - 1];
    if (path === INDEX_PATH) throw invalid('lists itself');
    if (before !== undefined && before.path >= path) throw invalid('is not sorted by unique path');
  }
  const index = { campaign, files };
  if (!equalBytes(encodeRecordIndex(index), bytes)) throw invalid('is not in its one encoding');
  return index;
}

function invalid(what: string): ProtocolError {
  return new ProtocolError('encoding_invalid', `${INDEX_PATH} ${what}`);
}
