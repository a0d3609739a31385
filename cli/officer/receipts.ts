import { verifyEd25519 } from '../../platform/ed25519.ts';
import { parseDirective, verifyDirective } from '../../protocol/campaign/directive.ts';
import { equalBytes } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { encodeEnvelope, parseEnvelope } from '../../protocol/signature/dsse.ts';
import type { Receipt } from '../client/client.ts';
import { envelopeJsonOf } from '../client/envelope.ts';
import { ProblemError, TemporaryError } from '../errors.ts';
import { findFile } from '../home/files.ts';
import { keepReceiptFor } from '../receipts/keep.ts';
import type { OfficerSession } from './session.ts';
import type { Standing } from './standing.ts';

/**
 * Verify the log's promise to hold a directive with all its signatures, and keep it. Which of the
 * others signed only the opening tells: it counts when there are enough of them.
 *
 * @param payload - As we signed it.
 * @param after - Leaves that the log had before, where the newest checkpoint may be younger.
 * @returns Where it is kept.
 * @throws {@link ProtocolError} as `keepReceipt`; `proof_invalid` without a receipt, and as
 *   `verifyDirective`.
 */
export async function keepDirectiveReceipt(
  { home, trust }: OfficerSession,
  payload: Uint8Array,
  answer: Receipt | null,
  after?: number,
): Promise<string> {
  if (answer === null) {
    throw new ProtocolError('proof_invalid', 'the server says that it is done, without a receipt');
  }
  const { campaign, sequence } = parseDirective(payload);
  const name = receiptName(campaign, sequence);
  const promised = { name, answer, ...(after !== undefined && { after }) };
  return keepReceiptFor(home, trust.root, promised, (opened) => {
    const envelope = parseEnvelope(opened.content);
    const isOurs =
      opened.kind === 'directive' &&
      opened.campaign === campaign &&
      equalBytes(envelope.payload, payload) &&
      equalBytes(encodeEnvelope(envelope), opened.content);
    if (!isOurs) throw new ProtocolError('proof_invalid', 'the receipt is for something else');
    verifyDirective(envelope, trust.roots, verifyEd25519);
  });
}

/**
 * Ask for the receipts that we lack of what we have signed: another officer's signature completed it,
 * or the answer was lost. Sent again, a completed directive gets the receipt it has.
 *
 * A server that gives none is told of, and does not hold up what is to be decided now.
 */
export async function fetchReceipts(
  session: OfficerSession,
  { envelopes }: Pick<Standing, 'envelopes'>,
): Promise<void> {
  const { client, context, home, keys } = session;
  for (const { payload, signatures } of envelopes) {
    const own = signatures.filter(({ keyid }) => keyid === keys.signer.publicKey);
    const { campaign, sequence } = parseDirective(payload);
    const path = home.path('receipts', `${receiptName(campaign, sequence)}.json`);
    if (own.length === 0 || (await findFile(path)) !== undefined) continue;
    try {
      const envelope = envelopeJsonOf({ payload, signatures: own });
      const { receipt } = await client.sendDirective(campaign, { envelope });
      // The leaf may be older than the newest checkpoint that this home has seen.
      const kept = await keepDirectiveReceipt(session, payload, receipt, 0);
      context.out.note(`receipt ${kept}`);
    } catch (error) {
      if (!isTrouble(error)) throw error;
      context.out.warn(`no receipt for directive ${sequence} of ${campaign}: ${error.message}`);
    }
  }
}

function isTrouble(error: unknown): error is Error {
  return [ProtocolError, ProblemError, TemporaryError].some((it) => error instanceof it);
}

function receiptName(campaign: string, sequence: number): string {
  return `${campaign}.directive-${sequence}`;
}
