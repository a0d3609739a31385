import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import { freePort } from './free-port.ts';

/** A real SMTP server on loopback that keeps every message as a file, one folder per recipient. */
export interface MailSink extends AsyncDisposable {
  readonly url: string;
  readonly dir: string;
  count(): number;
}

const MAX_MESSAGE_BYTES = 1_048_576;

/** Start the rehearsal's mail server; it accepts what a validator's mailbox would. */
export async function startMailSink(dir: string): Promise<MailSink> {
  let received = 0;
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    size: MAX_MESSAGE_BYTES,
    logger: false,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const address = session.envelope.rcptTo[0]?.address;
        if (
          session.envelope.rcptTo.length !== 1 ||
          !/^[a-z0-9-]+@sealdrop\.invalid$/.test(address ?? '')
        ) {
          done(new Error('550 one known mailbox per message'));
          return;
        }
        const mailbox = join(dir, String(address));
        mkdir(mailbox, { recursive: true })
          .then(() => writeFile(join(mailbox, `${received++}.eml`), Buffer.concat(chunks)))
          .then(() => {
            done();
          }, done);
      });
    },
  });
  const port = await freePort();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `smtp://127.0.0.1:${port}`,
    dir,
    count: () => received,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => {
        server.close(resolve);
      });
    },
  };
}
