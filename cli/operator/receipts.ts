import { verifyEd25519 } from '../../platform/ed25519.ts';
import { equalBytes, fromBase64 } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { parseOpening, type OpeningKind } from '../../protocol/log/opening.ts';
import { openReceipt } from '../../protocol/log/receipt.ts';
import { encodeEnvelope, type Envelope } from '../../protocol/signature/dsse.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import type { Receipt } from '../client/client.ts';
import { findFile } from '../home/files.ts';
import type { Home } from '../home/home.ts';
import { formatReceiptFile, leafHashOf, parseReceiptFile } from '../receipts/receipt-file.ts';

/**
 * Verify the log's promise to hold what was sent, and keep it: proof should the leaf never appear.
 *
 * @param name - File name in `receipts/`, without extension.
 * @returns Where it is kept.
 * @throws {@link ProtocolError} `note_invalid` or `signature_invalid` for a promise that is not the
 *   log's, `proof_invalid` for one about something else.
 */
export async function keepReceipt(
  home: Home,
  root: TrustRoot,
  name: string,
  kind: OpeningKind,
  envelope: Envelope,
  { receipt, opening }: Receipt,
): Promise<string> {
  const document = fromBase64(opening);
  const { leafHash: promised } = openReceipt(receipt, root.origin, [root.logKey], verifyEd25519);
  const opened = parseOpening(document);
  const isOurs =
    equalBytes(promised, leafHashOf(document)) &&
    opened.kind === kind &&
    equalBytes(opened.content, encodeEnvelope(envelope));
  if (!isOurs) throw new ProtocolError('proof_invalid', 'the receipt is for something else');
  // Sent again, the same envelope gets the same receipt, which may be here already.
  const path = home.path('receipts', `${name}.json`);
  const before = await findFile(path);
  if (before !== undefined && parseReceiptFile(before, name).receipt === receipt) return path;
  const { checkpoint } = await home.state.read();
  const after = checkpoint?.size ?? 0;
  return home.writeReceipt(`${name}.json`, formatReceiptFile({ receipt, opening, after }));
}
