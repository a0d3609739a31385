import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Express } from 'express';

/** Slow senders are cut off after these; Node's defaults would let them stay for minutes. */
const LIMITS = {
  headersTimeout: 10_000,
  // Uploads of officers; other bodies have `bodyDeadline`.
  requestTimeout: 3_600_000,
  keepAliveTimeout: 10_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 16 * 1024,
  requireHostHeader: true,
} as const;

/** An answer may stall this long. */
const IDLE_MS = 60_000;
const MAX_CONNECTIONS = 10_000;

export interface HttpServer {
  /** The port in use. */
  readonly port: number;
  /** Take no new requests, let those under way finish, at most `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/** Take the address; until `serve` is called every request is told to come back. */
export async function listen(
  host: string,
  port: number,
): Promise<{ readonly port: number; serve(app: Express): HttpServer; readonly close: () => void }> {
  const server = createServer(LIMITS);
  server.maxConnections = MAX_CONNECTIONS;
  server.maxHeadersCount = 64;
  server.setTimeout(IDLE_MS);
  server.on('request', answerLater);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const actual = (server.address() as AddressInfo).port;
  return {
    port: actual,
    serve(app) {
      const underWay = new Set<ServerResponse>();
      let isStopping = false;
      server.off('request', answerLater);
      server.on('request', (req: IncomingMessage, res: ServerResponse) => {
        if (isStopping) res.shouldKeepAlive = false;
        underWay.add(res);
        res.once('close', () => underWay.delete(res));
        app(req, res);
      });
      return {
        port: actual,
        stop(graceMs) {
          isStopping = true;
          // Else a busy client would go on for ever on the connection it has.
          for (const res of underWay) res.shouldKeepAlive = false;
          return stop(server, graceMs);
        },
      };
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

const STARTING = JSON.stringify({
  type: 'urn:sealdrop:problem:unavailable',
  title: 'Temporarily unavailable',
  status: 503,
  detail: 'the server is starting',
});

/** Without it a request between listening and serving would hang until it times out. */
function answerLater(_req: IncomingMessage, res: ServerResponse): void {
  res.writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '1' });
  res.end(STARTING);
}

async function stop(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  const timer = setTimeout(() => {
    server.closeAllConnections();
  }, graceMs);
  await closed;
  clearTimeout(timer);
}
