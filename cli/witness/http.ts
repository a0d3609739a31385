import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { MAX_ADD_CHECKPOINT_BYTES, TREE_SIZE_TYPE } from '../../protocol/log/witness-request.ts';
import type { WitnessOutcome, WitnessService } from './service.ts';

/** A whole request is a few kilobytes: whoever needs longer than this is in the way. */
const LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 60_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 8 * 1024,
  requireHostHeader: true,
} as const;
const MAX_CONNECTIONS = 512;
const TEXT = 'text/plain; charset=utf-8';
const LATEST_PATH = /^\/([0-9a-f]{64})\/checkpoint$/;

const STATUS = {
  malformed: 400,
  untrusted: 403,
  unknown_log: 404,
  conflict: 409,
  inconsistent: 422,
} as const satisfies Record<Exclude<WitnessOutcome['kind'], 'cosigned'>, number>;

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
  readonly allow?: string;
}

export interface RunningWitness {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Serve a witness over HTTP: `POST /add-checkpoint` and `GET /<origin hash>/checkpoint`.
 *
 * @param onOutcome - Told of every answer to add-checkpoint before it is sent.
 * @param onFailure - Told of an error of ours, such as a full disk; the caller gets a bare 500.
 */
export async function listenWitness(
  { host, port }: { readonly host: string; readonly port: number },
  service: WitnessService,
  onOutcome: (outcome: WitnessOutcome) => Promise<void>,
  onFailure: (error: unknown) => void,
): Promise<RunningWitness> {
  const handle = async (req: IncomingMessage): Promise<Answer> => {
    const path = req.url ?? '';
    if (path === '/add-checkpoint') {
      if (req.method !== 'POST') return { status: 405, body: 'POST only\n', allow: 'POST' };
      const body = await readBody(req);
      if (body === undefined) return { status: 413, body: 'too large\n' };
      const outcome = service.addCheckpoint(body);
      await onOutcome(outcome);
      return answerOf(outcome);
    }
    const [, originHash] = LATEST_PATH.exec(path) ?? [];
    const note = originHash === undefined ? undefined : service.findLatest(originHash);
    if (note === undefined) return { status: 404, body: 'not found\n' };
    if (req.method !== 'GET') return { status: 405, body: 'GET only\n', allow: 'GET' };
    return { status: 200, body: note };
  };

  const server = createServer(LIMITS, (req, res) => {
    handle(req).then(
      (answer) => {
        send(req, res, answer);
      },
      (error: unknown) => {
        if (req.socket.destroyed) return;
        if (error instanceof ProtocolError) {
          send(req, res, MALFORMED);
          return;
        }
        onFailure(error);
        send(req, res, { status: 500, body: 'failed\n' });
      },
    );
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.maxHeadersCount = 64;
  server.setTimeout(LIMITS.keepAliveTimeout);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => stop(server),
  };
}

const MALFORMED: Answer = { status: 400, body: 'malformed\n' };

function answerOf(outcome: WitnessOutcome): Answer {
  if (outcome.kind === 'cosigned') return { status: 200, body: outcome.line };
  const status = STATUS[outcome.kind];
  if (outcome.kind !== 'conflict') return { status, body: `${outcome.kind.replace('_', ' ')}\n` };
  return { status, body: `${outcome.size}\n`, type: TREE_SIZE_TYPE };
}

function send(req: IncomingMessage, res: ServerResponse, answer: Answer): void {
  const { status, body, type = TEXT, allow } = answer;
  // The rest of a body that was refused is not worth reading.
  if (!req.complete) res.setHeader('connection', 'close');
  if (allow !== undefined) res.setHeader('allow', allow);
  res.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  res.end(body);
}

/** The body as text; `undefined` when it is too long. @throws ProtocolError when it is not UTF-8. */
async function readBody(req: IncomingMessage): Promise<string | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of req as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > MAX_ADD_CHECKPOINT_BYTES) return undefined;
    parts.push(part);
  }
  return utf8Decode(Buffer.concat(parts, length));
}

async function stop(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  const timer = setTimeout(() => {
    server.closeAllConnections();
  }, LIMITS.requestTimeout);
  await closed;
  clearTimeout(timer);
}
