import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';

/** One kept-alive connection. Sends bytes made ahead, so that the load costs as little as it can. */
export interface Connection {
  /** Send one request and wait for its whole answer. Not before the answer to the last one. */
  send(request: Uint8Array): Promise<{ readonly status: number; readonly body: string }>;
  close(): void;
}

const HEAD_END = '\r\n\r\n';
const STATUS = /^HTTP\/1\.1 (\d{3}) /;
const LENGTH = /\r\ncontent-length: (\d+)\r\n/i;

interface Waiting {
  resolve(answer: { status: number; body: string }): void;
  reject(error: Error): void;
}

export async function openConnection(url: URL): Promise<Connection> {
  const socket: Socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
  await once(socket, 'connect');
  let received = '';
  let waiting: Waiting | undefined;

  // latin1: one character a byte, so that lengths agree.
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
    const end = received.indexOf(HEAD_END);
    if (end < 0) return;
    const head = received.slice(0, end + 2);
    const start = end + HEAD_END.length;
    const length = Number(LENGTH.exec(head)?.[1]);
    if (received.length - start < length) return;
    const answer = { status: Number(STATUS.exec(head)?.[1]), body: received.slice(start) };
    received = '';
    const answered = waiting;
    waiting = undefined;
    if (Number.isNaN(length)) answered?.reject(new Error('an answer without length'));
    else answered?.resolve(answer);
  });
  const fail = (error?: Error): void => {
    waiting?.reject(error ?? new Error('the server has closed a connection'));
    waiting = undefined;
  };
  socket.on('error', fail).on('close', () => {
    fail();
  });

  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(request);
      }),
    close: () => {
      socket.destroy();
    },
  };
}
