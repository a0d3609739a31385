import { readContactKey } from '../../../protocol/contact/key.ts';
import { sha256Hex, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { OutgoingMessage } from '../../client/client.ts';
import { buildMessage, type OutgoingMail } from '../../mail/message.ts';
import { loadRoster, tellRejected, type RosterEntry } from '../roster.ts';
import type { OfficerSession } from '../session.ts';

type MailKind = OutgoingMessage['kind'];

/** One mail, the same to everybody. */
export interface MailContent extends Pick<
  OutgoingMail,
  'subject' | 'text' | 'attachments' | 'exercise'
> {
  readonly kind: MailKind;
  readonly campaign: string;
  /** Number of the directive that it tells of. */
  readonly directive: number;
}

/** The server takes at most 64 messages at once; so many characters keep a request small. */
const MAX_BATCH = 64;
const MAX_BATCH_CHARACTERS = 6 * 2 ** 20;

/** What became of one round of mails. */
export interface MailingResult {
  readonly kind: MailKind;
  /** Operators whose enrolment verifies. */
  readonly operators: number;
  /** Built and handed to the server now. */
  readonly sent: number;
  /** Handed over in an earlier round. */
  readonly known: number;
  /** Whom no mail can be written to, and why. */
  readonly unreachable: readonly { readonly email: string; readonly reason: string }[];
}

/**
 * Mail every enrolled operator, each message signed by us and encrypted to that operator alone.
 *
 * Only those that the server does not hold yet are built, so an interrupted round is simply run
 * again.
 */
export async function mailOperators(
  session: OfficerSession,
  content: MailContent,
): Promise<MailingResult> {
  const { kind, campaign, directive } = content;
  const { client, context, keys } = session;
  const roster = await loadRoster(session);
  tellRejected(session, roster);
  const deliveries = await client.messages(campaign);
  // One that bounced is written anew: the operator may have another address or key by now.
  const done = deliveries.filter(
    (it) => it.kind === kind && it.directive === directive && it.state !== 'bounced',
  );
  const known = new Set(done.map(({ operator }) => operator));
  const missing = roster.operators.filter(({ operator }) => !known.has(operator));
  const signingKey = await readContactKey(keys.openpgp);

  const unreachable: { email: string; reason: string }[] = [];
  let sent = 0;
  let batch: OutgoingMessage[] = [];
  let characters = 0;
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await client.sendMessages(campaign, batch);
    sent += batch.length;
    batch = [];
    characters = 0;
    context.out.progress(`${kind}: ${sent} of ${missing.length} mails handed over`);
    context.out.event('progress', { kind, sent, total: missing.length });
  };
  for (const entry of missing) {
    context.signal.throwIfAborted();
    try {
      const armored = await writeMail(session, content, entry, signingKey);
      if (characters + armored.length > MAX_BATCH_CHARACTERS) await flush();
      batch.push({ operator: entry.operator, kind, directive, armored });
      characters += armored.length;
      if (batch.length === MAX_BATCH) await flush();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      unreachable.push({ email: entry.entry.email, reason: error.message });
    }
  }
  await flush();
  for (const { email, reason } of unreachable) context.out.warn(`no mail to ${email}: ${reason}`);
  return {
    kind,
    operators: roster.operators.length,
    sent,
    known: roster.operators.length - missing.length,
    unreachable,
  };
}

function writeMail(
  { context, keys, trust }: OfficerSession,
  { kind, campaign, directive, ...content }: MailContent,
  { operator, contact }: RosterEntry,
  signingKey: OutgoingMail['signingKey'],
): Promise<string> {
  if ('problem' in contact) throw new ProtocolError('key_invalid', contact.problem);
  const host = trust.root.origin.split(/[/:]/)[0] ?? '';
  // A digest, because what stands outside the encryption may not name a campaign.
  const local = sha256Hex(utf8Encode(`${campaign} ${kind} ${directive} ${operator}`)).slice(0, 40);
  return buildMessage({
    ...content,
    from: { name: keys.id, address: `${keys.id}@${host}` },
    signingKey,
    recipient: contact.openpgp,
    messageId: `<${local}@${host}>`,
    date: new Date(Math.floor(context.now() / 1000) * 1000),
  });
}
