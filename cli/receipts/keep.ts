import { verifyEd25519 } from '../../platform/ed25519.ts';
import { equalBytes, fromBase64, toHex } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { parseOpening, type Opening, type OpeningKind } from '../../protocol/log/opening.ts';
import { openReceipt } from '../../protocol/log/receipt.ts';
import { encodeEnvelope, type Envelope } from '../../protocol/signature/dsse.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import type { Receipt } from '../client/client.ts';
import { findFile } from '../home/files.ts';
import type { Home } from '../home/home.ts';
import { formatReceiptFile, leafHashOf, parseReceiptFile } from './receipt-file.ts';

/** A receipt that was answered, and what its holder says of it. */
interface NewReceipt {
  /** File name in `receipts/`, without extension. */
  readonly name: string;
  readonly answer: Receipt;
  /** Leaves that the log surely had before; by default those of the newest checkpoint seen. */
  readonly after?: number;
}

/**
 * Verify the log's promise to hold what was sent, and keep it: proof should the leaf never appear.
 *
 * @param name - File name in `receipts/`, without extension.
 * @returns Where it is kept.
 * @throws {@link ProtocolError} `note_invalid` or `signature_invalid` for a promise that is not the
 *   log's, `proof_invalid` for one about something else.
 */
export function keepReceipt(
  home: Home,
  root: TrustRoot,
  name: string,
  kind: OpeningKind,
  envelope: Envelope,
  answer: Receipt,
): Promise<string> {
  return keepReceiptFor(home, root, { name, answer }, ({ kind: promised, content }) => {
    const isOurs = promised === kind && equalBytes(content, encodeEnvelope(envelope));
    if (!isOurs) throw new ProtocolError('proof_invalid', 'the receipt is for something else');
  });
}

/**
 * The same for what the server has put together itself.
 *
 * @param verify - Throws when the promised leaf hides something else.
 */
export async function keepReceiptFor(
  home: Home,
  root: TrustRoot,
  { name, answer, after }: NewReceipt,
  verify: (opened: Opening) => void,
): Promise<string> {
  const { receipt, opening } = answer;
  const document = fromBase64(opening);
  const { leafHash } = openReceipt(receipt, root.origin, [root.logKey], verifyEd25519);
  if (!equalBytes(leafHash, leafHashOf(document))) {
    throw new ProtocolError('proof_invalid', 'the receipt is for something else');
  }
  verify(parseOpening(document));
  const size = after ?? (await home.state.read()).checkpoint?.size ?? 0;
  // A second promise for one thing must not hide that the first was broken.
  for (const free of [name, `${name}.${toHex(leafHash).slice(0, 16)}`]) {
    const path = home.path('receipts', `${free}.json`);
    const before = await findFile(path);
    // Sent again, the same envelope gets the same receipt, which may be here already.
    if (before !== undefined && parseReceiptFile(before, free).receipt === receipt) return path;
    if (before !== undefined) continue;
    return home.writeReceipt(`${free}.json`, formatReceiptFile({ receipt, opening, after: size }));
  }
  throw new ProtocolError('proof_invalid', `the log has promised ${name} at two times`);
}
