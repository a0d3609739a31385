import { readdir } from 'node:fs/promises';
import { equalBytes, utf8Decode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { parseOpening, type Opening } from '../../protocol/log/opening.ts';
import { MERGE_DELAY_MS, type Receipt } from '../../protocol/log/receipt.ts';
import { findFile, hasErrorCode } from '../home/files.ts';
import type { Home } from '../home/home.ts';
import { openPromise } from '../log/compare/omission.ts';
import type { LogKeys } from '../log/log-keys.ts';
import {
  leafHashOf,
  parseReceiptFile,
  readReceiptFile,
  receiptPaths,
  type KeptReceipt,
} from './receipt-file.ts';

/** A promise that somebody keeps, verified to be the log's, and about what is kept with it. */
export interface StoredReceipt extends KeptReceipt {
  readonly paths: { readonly json: string; readonly proof: string };
  readonly promise: Receipt;
  readonly opened: Opening;
  /** By when the leaf has to be in the log, in Unix milliseconds. */
  readonly due: number;
  /** Text of the `.tlog-proof`, once it was collected. Not verified. */
  readonly proof: string | undefined;
}

/**
 * Read one receipt, by its own path or that of its proof.
 *
 * @throws {@link ProtocolError} `note_invalid` or `signature_invalid` for a promise that is not this
 *   log's, `proof_invalid` for one about something else.
 */
export async function readStored(path: string, keys: LogKeys): Promise<StoredReceipt> {
  const paths = receiptPaths(path);
  return verifyStored(paths, await readReceiptFile(paths.json), keys);
}

/** All receipts of a home, by name. */
export async function listStored(home: Home, keys: LogKeys): Promise<readonly StoredReceipt[]> {
  const names = await readdir(home.path('receipts')).catch((error: unknown) => {
    if (hasErrorCode(error, 'ENOENT')) return [];
    throw error;
  });
  const stored: StoredReceipt[] = [];
  for (const name of names.filter((it) => it.endsWith('.json')).sort()) {
    const paths = receiptPaths(home.path('receipts', name));
    const bytes = await findFile(paths.json);
    if (bytes !== undefined) {
      stored.push(await verifyStored(paths, parseReceiptFile(bytes, name), keys));
    }
  }
  return stored;
}

async function verifyStored(
  paths: StoredReceipt['paths'],
  kept: KeptReceipt,
  keys: LogKeys,
): Promise<StoredReceipt> {
  const promise = openPromise(kept.receipt, keys);
  if (!equalBytes(promise.leafHash, leafHashOf(kept.opening))) {
    throw new ProtocolError('proof_invalid', `${paths.json}: the receipt is for something else`);
  }
  const proof = await findFile(paths.proof);
  return {
    ...kept,
    paths,
    promise,
    opened: parseOpening(kept.opening),
    due: promise.at + MERGE_DELAY_MS,
    proof: proof && utf8Decode(proof),
  };
}
