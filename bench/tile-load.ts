import { once } from 'node:events';
import { connect } from 'node:net';

/** How many requests were answered, and how long that took. */
export interface Load {
  readonly count: number;
  readonly bytes: number;
  readonly seconds: number;
}

const HEAD_END = '\r\n\r\n';
const LENGTH = /\r\ncontent-length: (\d+)/i;

/**
 * Fetch paths over kept-alive connections for a while, each connection one after the other.
 *
 * Headers are looked at once per path and otherwise counted: whatever the load takes of the machine,
 * the server cannot have.
 *
 * @param paths - Whose answers keep their length while this runs.
 */
export async function loadPaths(
  origin: URL,
  paths: readonly string[],
  options: { readonly connections: number; readonly seconds: number },
): Promise<Load> {
  const lengths = new Map<string, number>();
  const requests = paths.map((path) => ({
    path,
    bytes: Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${origin.host}\r\n\r\n`),
  }));
  const start = performance.now();
  const end = start + options.seconds * 1000;
  const lanes = await Promise.all(
    Array.from({ length: options.connections }, async (_, lane) => {
      const socket = connect({ host: origin.hostname, port: Number(origin.port), noDelay: true });
      await once(socket, 'connect');
      let count = 0;
      let bytes = 0;
      let received = 0;
      let expected = 0;
      await new Promise<void>((resolve, reject) => {
        const pick = (): (typeof requests)[number] => {
          const request = requests[(lane * 7 + count) % requests.length];
          if (request === undefined) throw new Error('nothing to fetch');
          return request;
        };
        const next = (): void => {
          const { path, bytes: request } = pick();
          received = 0;
          expected = lengths.get(path) ?? 0;
          socket.write(request);
        };
        socket.on('data', (chunk: Buffer) => {
          received += chunk.length;
          expected ||= lengthOf(chunk);
          if (Number.isNaN(expected)) reject(new Error(`not served: ${pick().path}`));
          if (!(received >= expected)) return;
          lengths.set(pick().path, expected);
          count += 1;
          bytes += received;
          if (performance.now() < end) next();
          else resolve();
        });
        socket.on('error', reject).on('close', () => {
          reject(new Error('the server has closed a connection'));
        });
        next();
      });
      socket.destroy();
      return { count, bytes };
    }),
  );
  const sum = (of: (lane: { count: number; bytes: number }) => number): number =>
    lanes.reduce((total, lane) => total + of(lane), 0);
  return {
    count: sum(({ count }) => count),
    bytes: sum(({ bytes }) => bytes),
    seconds: (performance.now() - start) / 1000,
  };
}

/** Of a whole answer, from its first bytes; `NaN` when it is not a success. */
function lengthOf(chunk: Buffer): number {
  const text = chunk.toString('latin1');
  const head = text.indexOf(HEAD_END);
  const body = Number(LENGTH.exec(text.slice(0, head))?.[1]);
  if (!text.startsWith('HTTP/1.1 200 ') || head < 0) return NaN;
  return head + HEAD_END.length + body;
}
