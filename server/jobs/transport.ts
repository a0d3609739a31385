import { createTransport } from 'nodemailer';

import { parseAddress } from '../services/contact/address.ts';

/** How an attempt to hand a mail over ended. */
type Delivery =
  | 'accepted'
  /** The other side refused it for good (5xx). */
  | 'refused'
  /** A 4xx, or trouble on the way: try again. */
  | 'failed';

export interface MailTransport {
  /** Hand one message over for exactly one recipient. */
  send(mail: {
    readonly from: string;
    readonly to: string;
    readonly raw: string;
  }): Promise<Delivery>;
  readonly close: () => void;
}

const TIMEOUTS = {
  connectionTimeout: 20_000,
  greetingTimeout: 20_000,
  socketTimeout: 60_000,
  dnsTimeout: 20_000,
} as const;

/** @param url - `smtps://…`, or `smtp://…` which must offer STARTTLS unless it is this machine. */
export function smtpTransport(url: string, concurrency: number): MailTransport {
  const { protocol, hostname, port, username, password } = new URL(url);
  const secure = protocol === 'smtps:';
  const isLocal = ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
  const transport = createTransport({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (secure ? 465 : 587) : Number(port),
    secure,
    requireTLS: !secure && !isLocal,
    ignoreTLS: isLocal,
    ...(username !== '' && {
      auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) },
    }),
    pool: true,
    maxConnections: concurrency,
    maxMessages: 100,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...TIMEOUTS,
  });

  return {
    async send({ from, to, raw }) {
      // Only what our own grammar accepts reaches the library, and only as envelope of our making.
      if (parseAddress(to) === undefined) return 'refused';
      try {
        const info = await transport.sendMail({ envelope: { from, to: [to] }, raw });
        const [accepted, ...others] = info.accepted;
        return accepted === to && others.length === 0 ? 'accepted' : 'failed';
      } catch (error) {
        return isPermanent(error) ? 'refused' : 'failed';
      }
    },
    close: () => {
      transport.close();
    },
  };
}

/** A 5xx about this recipient or this message. One about our login or our name is our own trouble. */
function isPermanent(error: unknown): boolean {
  if (!(error instanceof Error) || !('responseCode' in error) || !('command' in error))
    return false;
  const { responseCode, command } = error;
  const isAboutMail = command === 'RCPT TO' || command === 'DATA';
  return typeof responseCode === 'number' && responseCode >= 500 && isAboutMail;
}
