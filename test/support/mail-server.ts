import { once } from 'node:events';
import type { Socket } from 'node:net';

import { SMTPServer } from 'smtp-server';

/** A mail as it arrived. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
}

/** What the server says to a recipient or a message; nothing means that it takes it. */
export type Verdict = { readonly code: number; readonly text: string } | undefined;

export type BeforeAnswer = 'cut' | undefined;

export interface MailServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly received: readonly ReceivedMail[];
  /** Every `RCPT TO` that was tried. */
  readonly recipients: readonly string[];
  close(): Promise<void>;
}

/** A real SMTP server on a free port, or a given one. */
export async function startMailServer(
  options: {
    readonly port?: number;
    readonly onRecipient?: (address: string, attempt: number) => Verdict;
    readonly onMessage?: (attempt: number) => Verdict;
    /** Called between a message's last byte and the answer to it; `cut` drops the line instead. */
    readonly beforeAnswer?: (mail: ReceivedMail) => BeforeAnswer | Promise<BeforeAnswer>;
  } = {},
): Promise<MailServer> {
  const received: ReceivedMail[] = [];
  const recipients: string[] = [];
  const attempts = new Map<string, number>();
  const countOf = (key: string): number => {
    const count = (attempts.get(key) ?? 0) + 1;
    attempts.set(key, count);
    return count;
  };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    logger: false,
    closeTimeout: 50,
    onRcptTo(address, _session, done) {
      recipients.push(address.address);
      done(errorOf(options.onRecipient?.(address.address, countOf(address.address))));
    },
    onData(stream, session, done) {
      let raw = '';
      stream.setEncoding('latin1').on('data', (chunk: string) => (raw += chunk));
      stream.on('end', () => {
        const verdict = options.onMessage?.(countOf('message'));
        const { mailFrom, rcptTo } = session.envelope;
        const mail = {
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          raw,
        };
        if (verdict === undefined) received.push(mail);
        void Promise.resolve(options.beforeAnswer?.(mail)).then((what) => {
          if (what === 'cut') for (const socket of sockets) socket.destroy();
          else done(errorOf(verdict));
        });
      });
    },
  });
  const sockets = new Set<Socket>();
  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('error', () => undefined);
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server.server, 'listening');
  const address = server.server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const close = async (): Promise<void> => {
    await new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
    });
  };
  return {
    url: `smtp://127.0.0.1:${port}`,
    port,
    received,
    recipients,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function errorOf(verdict: Verdict): Error | null {
  if (verdict === undefined) return null;
  return Object.assign(new Error(verdict.text), { responseCode: verdict.code });
}
