import { toBase64 } from '../../protocol/encoding/bytes.ts';
import { formatTime } from '../../protocol/encoding/time.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { signEnvelope } from '../../protocol/signature/dsse.ts';
import {
  encodeOperatorStatement,
  type OperatorStatement,
  type OperatorStatementKind,
} from '../../protocol/statement/operator.ts';
import { warnBelowQuorum } from '../log/quorum.ts';
import type { InboxEntry } from '../client/client.ts';
import { CliError } from '../errors.ts';
import { ownBinding } from './binding.ts';
import { keepReceipt } from '../receipts/keep.ts';
import type { OperatorSession, SpeakerSession } from './session.ts';

/** What differs from one statement to the next. */
export interface Saying {
  readonly campaign: string;
  readonly kind: OperatorStatementKind;
  readonly subject: OperatorStatement['subject'];
  readonly variant?: string;
  readonly reason?: string;
  /** Of the plan, where it is known; else what the server says. */
  readonly revision?: number;
}

/** Far above what anybody ever says; from there on counters could run out. */
const MAX_COUNTER = 1_000_000;

/** What was said and accepted. */
export interface Said {
  readonly statement: OperatorStatement;
  /** Path of the log's promise. */
  readonly receipt: string;
}

/**
 * Make, sign and send a statement, and keep the receipt.
 *
 * The counter is reserved on disk before the statement leaves, so that it is never used twice.
 */
export async function say(session: SpeakerSession, saying: Saying): Promise<Said> {
  const { client, context, home, keys, trust } = session;
  const { campaign } = saying;
  const entry = await findInInbox(session, campaign);
  const { checkpoint, note } = session.seen;
  warnBelowQuorum(context, trust.root, note);
  const { proofs, network } = await ownBinding(home);
  if (entry.counter > MAX_COUNTER) {
    throw new ProtocolError(
      'statement_invalid',
      'the server claims an absurd number of statements',
    );
  }
  const counter = await home.state.nextCounter(campaign, keys.signer.publicKey, entry.counter);
  const statement: OperatorStatement = {
    ...saying,
    network,
    revision: saying.revision ?? entry.campaign.revision,
    validators: proofs.map(({ validator }) => validator),
    counter,
    checkpoint: { size: checkpoint.size, root: toBase64(checkpoint.root) },
    issuedAt: formatTime(context.now()),
  };
  const envelope = signEnvelope(encodeOperatorStatement(statement), keys.signer);
  const answer = await client.sendStatement(campaign, envelope);
  const name = `${campaign}.${counter}.${saying.kind}`;
  const receipt = await keepReceipt(home, trust.root, name, 'statement', envelope, answer);
  return { statement, receipt };
}

/** The campaign as the server shows it to this operator. */
export async function findInInbox(
  { client }: Pick<OperatorSession, 'client'>,
  campaign: string,
): Promise<InboxEntry> {
  const entry = (await client.inbox()).find((each) => each.campaign.campaign === campaign);
  if (entry !== undefined) return entry;
  throw new CliError(`${campaign} is not in your inbox`, 'run: sealdrop inbox, and check the id');
}
