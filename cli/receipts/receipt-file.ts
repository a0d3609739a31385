import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { fromBase64, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { parseJson } from '../../protocol/encoding/json.ts';
import { parseShape, safeCount } from '../../protocol/encoding/shape.ts';
import { formatLeaf } from '../../protocol/log/leaf.ts';
import { leafHash } from '../../protocol/log/merkle.ts';
import { sealedLeaf } from '../../protocol/log/opening.ts';
import { readInputFile } from '../home/files.ts';

/** A promise of the log as a home keeps it. */
export interface KeptReceipt {
  /** Signed note. */
  readonly receipt: string;
  /** What opens the leaf: the statement behind its nonce. Not for others before the disclosure. */
  readonly opening: Uint8Array;
  /** Leaves that the log had before; the promised one comes behind them. */
  readonly after: number;
}

const MAX_RECEIPT_BYTES = 262_144;
const PROOF_EXTENSION = '.tlog-proof';

const receiptJson = z.strictObject({
  format: z.literal('sealdrop-receipt/v1'),
  receipt: z.string().max(4096),
  opening: z.string(),
  after: safeCount.optional(),
});

/** Write a receipt file. */
export function formatReceiptFile(kept: {
  readonly receipt: string;
  /** Base64. */
  readonly opening: string;
  readonly after: number;
}): string {
  return `${JSON.stringify({ format: 'sealdrop-receipt/v1', ...kept }, null, 2)}\n`;
}

/** @throws {@link ProtocolError} `too_large` or `encoding_invalid`. Nothing is verified. */
export function parseReceiptFile(bytes: Uint8Array, name: string): KeptReceipt {
  const json = parseJson(bytes, MAX_RECEIPT_BYTES);
  const { receipt, opening, after = 0 } = parseShape(receiptJson, json, 'encoding_invalid', name);
  return { receipt, opening: fromBase64(opening), after };
}

/** Read the receipt that a person named, by its own name or by that of its proof. */
export async function readReceiptFile(path: string): Promise<KeptReceipt> {
  return parseReceiptFile(await readInputFile(path, MAX_RECEIPT_BYTES), basename(path));
}

/** Where a receipt and its proof are, whichever of the two was named. */
export function receiptPaths(path: string): { readonly json: string; readonly proof: string } {
  const stem = basename(path).replace(/\.(?:json|tlog-proof)$/, '');
  const beside = (extension: string): string => join(dirname(path), `${stem}${extension}`);
  return { json: beside('.json'), proof: beside(PROOF_EXTENSION) };
}

/** Hash of the leaf that hides an opening. */
export function leafHashOf(opening: Uint8Array): Uint8Array {
  return leafHash(utf8Encode(formatLeaf(sealedLeaf(opening))));
}
