import { parseEd25519PublicKey } from '../../protocol/signature/ed25519.ts';
import type { Outcome, OutboxStore, OutgoingMail } from '../services/contact/outbox.ts';
import { describeFailure } from '../services/failure.ts';
import type { Logger } from '../services/logger.ts';
import type { Roster } from '../services/people/roster.ts';
import { buildEncryptedMail } from './mime.ts';
import type { MailTransport } from './transport.ts';

/** Minutes until the next attempt; the last one repeats. */
const RETRY_MINUTES = [1, 5, 15, 30, 60] as const;
/** Up to this share is added, so that retries of many mails spread. */
const JITTER = 0.2;

export interface MailWorker {
  /** Send everything that is due. Resolves when it has been tried. */
  run(): Promise<void>;
}

/**
 * Work off the outbox. Its rows say what is to be done, so a crash loses nothing.
 *
 * A crash between the other side's acceptance and our commit sends a mail again, with the same
 * Message-ID; losing it would be worse.
 */
export function mailWorker(deps: {
  readonly store: OutboxStore;
  readonly transport: MailTransport;
  readonly roster: Roster;
  readonly from: string;
  readonly concurrency: number;
  readonly logger: Logger;
  readonly now: () => number;
  readonly random: () => number;
  /** No further mail is begun once this is aborted. */
  readonly signal: AbortSignal;
}): MailWorker {
  const { store, transport, roster, logger, now, random, signal } = deps;

  const attempt = async (mail: OutgoingMail): Promise<Outcome> => {
    const operator = roster.find(parseEd25519PublicKey(mail.operator));
    if (operator === undefined) return { state: 'bounced' };
    const { from } = deps;
    const headers = {
      from,
      to: operator.email,
      messageId: mail.messageId,
      date: new Date(now()),
    };
    const raw = buildEncryptedMail(headers, mail.armored);
    const delivery = await transport.send({ from, to: operator.email, raw });
    if (delivery === 'accepted') return { state: 'sent' };
    if (delivery === 'refused') return { state: 'bounced' };
    return { state: 'deferred', at: now() + retryDelayMs(mail.attempts, random) };
  };

  const sendOne = async (mail: OutgoingMail): Promise<void> => {
    const { seq, campaign, operator, messageId } = mail;
    const outcome = await attempt(mail);
    await store.saveOutcome(seq, outcome);
    const fields = { campaign, operator, messageId, attempt: mail.attempts + 1 };
    logger.info({ ...fields, state: outcome.state }, 'mail');
  };

  /** One of several that draw from the same outbox until nothing is due. */
  const lane = async (busy: Set<number>): Promise<void> => {
    while (!signal.aborted) {
      const [mail] = await store.listDue([...busy], 1);
      // Another lane may have taken it while we were looking.
      if (mail === undefined) return;
      if (busy.has(mail.seq)) continue;
      busy.add(mail.seq);
      try {
        await sendOne(mail);
        busy.delete(mail.seq);
      } catch (error) {
        // Stays busy, and so out of this run; what happened to it is unknown.
        logger.error({ seq: mail.seq, ...describeFailure(error) }, 'mail');
      }
    }
  };

  return {
    async run() {
      const busy = new Set<number>();
      await Promise.all(Array.from({ length: deps.concurrency }, () => lane(busy)));
    },
  };
}

/** @param attempts - Made before the one that has just failed. */
export function retryDelayMs(attempts: number, random: () => number): number {
  const minutes = RETRY_MINUTES[Math.min(attempts, RETRY_MINUTES.length - 1)] ?? 60;
  return minutes * 60_000 * (1 + JITTER * random());
}
