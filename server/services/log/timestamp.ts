import { Integer, OctetString } from 'asn1js';
import { AlgorithmIdentifier, MessageImprint, TimeStampReq } from 'pkijs';
import { readResponse } from '../../../platform/read-response.ts';
import { MAX_TIMESTAMP_BYTES, readTimestamp, TimestampError } from '../../../platform/timestamp.ts';
import { equalBytes, sha256 } from '../../../protocol/encoding/bytes.ts';

const SHA256 = '2.16.840.1.101.3.4.2.1';

export interface TimestampDeps {
  /** The authority's. */
  readonly url: string;
  readonly fetch: typeof fetch;
  readonly randomBytes: (length: number) => Uint8Array;
}

/**
 * Ask a timestamping authority for a token over `bytes`, of which it learns the SHA-256 only.
 *
 * The answer is compared with the question: granted, this digest, this nonce. The authority's
 * signature is for whoever relies on the token to verify, who knows which authority to trust.
 *
 * @returns The response as it came, DER: what `openssl ts -verify -in` reads.
 * @throws {@link TimestampError} for any other answer; what `fetch` throws.
 * @see RFC 3161
 */
export async function requestTimestamp(
  bytes: Uint8Array,
  { url, fetch, randomBytes }: TimestampDeps,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const nonce = randomBytes(8);
  // A positive integer of 8 bytes has one encoding when its first byte is neither 0 nor above 0x7f.
  nonce[0] = 0x40 | ((nonce[0] ?? 0) & 0x3f);
  const request = new TimeStampReq({
    version: 1,
    messageImprint: new MessageImprint({
      hashAlgorithm: new AlgorithmIdentifier({ algorithmId: SHA256 }),
      hashedMessage: new OctetString({ valueHex: new Uint8Array(sha256(bytes)) }),
    }),
    nonce: new Integer({ valueHex: new Uint8Array(nonce) }),
    certReq: true,
  });
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/timestamp-query' },
    body: request.toSchema().toBER(),
    redirect: 'error',
    signal,
  });
  if (!response.ok) throw new TimestampError(`the authority answers ${response.status}`);
  const der = await readResponse(
    response,
    MAX_TIMESTAMP_BYTES,
    () => new TimestampError('the answer is too long'),
  );
  const token = readTimestamp(der);
  const isSame =
    equalBytes(token.digest, sha256(bytes)) && equalBytes(token.nonce ?? new Uint8Array(), nonce);
  if (!isSame) throw new TimestampError('the token is for something else');
  return der;
}
