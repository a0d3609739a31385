import type { Server } from 'node:http';
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

/** Take the address; requests are answered once `serve` has been called. */
export async function listen(
  host: string,
  port: number,
): Promise<{ readonly port: number; serve(app: Express): HttpServer; close(): void }> {
  const server = createServer(LIMITS);
  server.maxConnections = MAX_CONNECTIONS;
  server.maxHeadersCount = 64;
  server.setTimeout(IDLE_MS);
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
      server.on('request', app);
      return { port: actual, stop: (graceMs) => stop(server, graceMs) };
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
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
