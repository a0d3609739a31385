import { readResponse } from '../../../platform/read-response.ts';
import { utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { Cosignature } from '../../../protocol/log/cosignature.ts';
import { takeCosignature } from '../../../protocol/log/cosignature.ts';
import { formatAddCheckpoint, parseTreeSize } from '../../../protocol/log/witness-request.ts';
import type { AddCheckpoint } from '../../../protocol/log/witness-request.ts';
import type { VerifyEd25519 } from '../../../protocol/signature/ed25519.ts';
import { parseNote } from '../../../protocol/signature/note.ts';
import type { WitnessEndpoint } from './endpoint.ts';

/** What a witness says about a checkpoint. */
export type WitnessAnswer =
  | { readonly kind: 'cosigned'; readonly cosignature: Cosignature }
  /** It wants the proof from this size, that of the checkpoint it cosigned last. */
  | { readonly kind: 'conflict'; readonly size: number }
  /** It holds another history: the proof from the size that it has does not lead from its root. */
  | { readonly kind: 'inconsistent' };

export type WitnessFailureCode =
  | 'unreachable' // no connection, or a redirect
  | 'timeout'
  | 'unknown_log' // it does not follow this log
  | 'untrusted' // it knows another key for this log
  | 'busy' // asks for patience, or is broken
  | 'malformed' // the answer is none that the protocol knows
  | 'contradictory'; // it asks for proofs that do not satisfy it

/** A witness gave no cosignature, for a reason that says nothing about the log. */
export class WitnessFailure extends Error {
  override readonly name = 'WitnessFailure';
  readonly code: WitnessFailureCode;

  constructor(code: WitnessFailureCode, options?: ErrorOptions) {
    super(code, options);
    this.code = code;
  }
}

export interface SubmitDeps {
  readonly fetch: typeof fetch;
  readonly verify: VerifyEd25519;
}

/** A few cosignature lines; more is not read. */
const MAX_ANSWER_BYTES = 16_384;

/**
 * Ask a witness once. No redirect is followed: another host is another witness.
 *
 * @param signal - Ends the wait, also for the rest of an answer that has begun.
 * @throws {@link WitnessFailure}
 * @see C2SP tlog-witness, "add-checkpoint"
 */
export async function submitCheckpoint(
  { url, verifier }: WitnessEndpoint,
  request: AddCheckpoint,
  { fetch, verify }: SubmitDeps,
  signal: AbortSignal,
): Promise<WitnessAnswer> {
  const { status, body } = await exchange(url, request, fetch, signal);
  if (status === 409) return readOr(() => ({ kind: 'conflict', size: readSize(body) }));
  if (status === 422) return { kind: 'inconsistent' };
  if (status === 404) throw new WitnessFailure('unknown_log');
  if (status === 403) throw new WitnessFailure('untrusted');
  if (status === 429 || status >= 500) throw new WitnessFailure('busy');
  if (status !== 200) throw new WitnessFailure('malformed');
  const { text } = parseNote(request.note);
  return readOr(() => ({
    kind: 'cosigned',
    cosignature: takeCosignature(text, utf8Decode(body), verifier, verify),
  }));
}

async function exchange(
  url: URL,
  request: AddCheckpoint,
  fetch: SubmitDeps['fetch'],
  signal: AbortSignal,
): Promise<{ status: number; body: Uint8Array }> {
  const post = (): Promise<Response> =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body: new Uint8Array(utf8Encode(formatAddCheckpoint(request))),
      redirect: 'error',
      signal,
    });
  try {
    // A connection that was kept may be closed by now; asking twice does no harm.
    const response = await post().catch(post);
    return {
      status: response.status,
      body: await readResponse(response, MAX_ANSWER_BYTES, () => new WitnessFailure('malformed')),
    };
  } catch (error) {
    if (error instanceof WitnessFailure) throw error;
    throw new WitnessFailure(signal.aborted ? 'timeout' : 'unreachable', { cause: error });
  }
}

function readSize(body: Uint8Array): number {
  const [, size = ''] = /^([^\n]*)\n$/.exec(utf8Decode(body)) ?? [];
  return parseTreeSize(size);
}

function readOr(read: () => WitnessAnswer): WitnessAnswer {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new WitnessFailure('malformed', { cause: error });
  }
}
