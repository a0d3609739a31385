import { z } from 'zod';
import { problemJson } from '../../protocol/api/exchange.ts';
import { parseJson } from '../../protocol/encoding/json.ts';
import { parseShape } from '../../protocol/encoding/shape.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Context } from '../command.ts';
import { CliError, InterruptedError, ProblemError, TemporaryError } from '../errors.ts';
import { startDeadline } from './deadline.ts';

/** What speaking HTTP needs of a command's context. */
export type NetworkContext = Pick<Context, 'fetch' | 'now' | 'randomBytes' | 'signal'>;

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly contentType?: string;
  /** Made anew for every attempt, because a stream can be sent only once. */
  readonly body?: () => Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  /** From the first byte sent to the last one received. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** How long nothing at all may arrive. */
const STALL_MS = 30_000;
const MAX_PROBLEM_BYTES = 65_536;

/** An answer of success whose body nobody has read yet. */
export interface HttpAnswer {
  readonly headers: Headers;
  /** Yields the body and ends or throws like {@link sendRequest}. */
  chunks(): AsyncIterable<Uint8Array>;
}

/**
 * Send one request. No redirect is followed, no cookie kept, nothing retried.
 *
 * @throws {@link ProblemError} for any status but 2xx, {@link TemporaryError} when the server cannot
 *   be reached or is too slow, {@link InterruptedError} when the person stopped it.
 */
export async function sendRequest(
  context: NetworkContext,
  request: HttpRequest,
): Promise<HttpAnswer> {
  const { url, timeoutMs = DEFAULT_TIMEOUT_MS } = request;
  const headers = new Headers(request.headers);
  if (request.contentType !== undefined) headers.set('content-type', request.contentType);
  const body = request.body?.();
  // While a file is sent nothing arrives, however well it goes.
  const stallMs = body === undefined ? STALL_MS : timeoutMs;
  const deadline = startDeadline(context.signal, timeoutMs, stallMs);
  const explain = (error: unknown): unknown => {
    deadline.clear();
    if (context.signal.aborted) return new InterruptedError();
    return deadline.isTimedOut() ? tooSlow(url, error) : explainFailure(url, error);
  };
  const init: RequestInit & { duplex?: 'half' } = {
    method: request.method,
    headers,
    redirect: 'error',
    signal: deadline.signal,
    ...(body === undefined ? {} : { body, duplex: 'half' }),
  };

  let response: Response;
  try {
    response = await context.fetch(url, init);
    deadline.touch();
  } catch (error) {
    throw explain(error);
  }
  const answer: HttpAnswer = {
    headers: response.headers,
    async *chunks() {
      try {
        for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
          deadline.touch();
          yield chunk;
        }
      } catch (error) {
        throw explain(error);
      } finally {
        deadline.clear();
      }
    },
  };
  if (response.ok) return answer;
  throw await readProblem(answer, response.status, url);
}

/** How long one answer may take where there are other places to turn to. */
const ANSWER_MS = 5_000;

/** The same context for those who must not wait for a server that takes requests and never answers. */
export function withAnswerLimit<T extends Pick<NetworkContext, 'fetch'>>(context: T): T {
  return {
    ...context,
    fetch: (url: string | URL | Request, init?: RequestInit) => {
      const signals = [AbortSignal.timeout(ANSWER_MS), ...(init?.signal ? [init.signal] : [])];
      return context.fetch(url, { ...init, signal: AbortSignal.any(signals) });
    },
  };
}

/**
 * Read a whole body.
 *
 * @throws {@link ProtocolError} `too_large` as soon as it passes `maxBytes`.
 */
export async function readBody(answer: HttpAnswer, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of answer.chunks()) {
    length += part.length;
    if (length > maxBytes) {
      throw new ProtocolError('too_large', `the server's answer is longer than ${maxBytes} bytes`);
    }
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts, length));
}

/** Read a JSON body of a known shape. */
export async function readJson<T>(
  answer: HttpAnswer,
  schema: z.ZodType<T>,
  maxBytes: number,
): Promise<T> {
  return parseAnswer(await readBody(answer, maxBytes), schema);
}

/** A body that was read, as JSON of a known shape. */
export function parseAnswer<T>(body: Uint8Array, schema: z.ZodType<T>): T {
  return parseShape(schema, parseJson(body, body.length), 'encoding_invalid', 'answer');
}

async function readProblem(answer: HttpAnswer, status: number, url: URL): Promise<ProblemError> {
  const retryAfter = Number(answer.headers.get('retry-after') ?? Number.NaN);
  const retryAfterMs = Number.isFinite(retryAfter) ? retryAfter * 1000 : undefined;
  try {
    const problem = await readJson(answer, problemJson, MAX_PROBLEM_BYTES);
    const code = problem.code ?? problem.type.split(':').at(-1) ?? 'unknown';
    return new ProblemError(status, code, problem.detail ?? problem.title, retryAfterMs);
  } catch (error) {
    // A proxy's page rather than our server's problem: the status alone has to do.
    if (error instanceof ProtocolError) {
      return new ProblemError(status, 'unknown', `${url.host} answered ${status}`, retryAfterMs);
    }
    throw error;
  }
}

function tooSlow(url: URL, cause: unknown): TemporaryError {
  const advice = 'repeat the command in a moment';
  return new TemporaryError(`${url.host} was too slow`, advice, { cause });
}

function explainFailure(url: URL, error: unknown): unknown {
  if (error instanceof CliError || error instanceof ProtocolError) return error;
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && cause.message === 'unexpected redirect') {
    return new CliError(
      `${url.host} answered with a redirect, which is never followed`,
      'ask for the URL that the server itself is configured with',
    );
  }
  if (!(error instanceof Error)) return error;
  const reason = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
  return new TemporaryError(
    `cannot reach ${url.host}${reason}`,
    'check the network and that the server runs, then repeat the command',
    { cause: error },
  );
}
