import { Integer, OctetString } from 'asn1js';
import {
  AlgorithmIdentifier,
  ContentInfo,
  MessageImprint,
  PKIStatus,
  SignedData,
  TimeStampReq,
  TimeStampResp,
  TSTInfo,
} from 'pkijs';
import { equalBytes, sha256 } from '../../../protocol/encoding/bytes.ts';

const SHA256 = '2.16.840.1.101.3.4.2.1';
const MAX_RESPONSE_BYTES = 64 * 1024;

/** No token came, or not for what was asked. */
export class TimestampError extends Error {
  override readonly name = 'TimestampError';
}

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
  const der = await readBounded(response);
  requireAnswer(der, sha256(bytes), nonce);
  return der;
}

function requireAnswer(der: Uint8Array, digest: Uint8Array, nonce: Uint8Array): void {
  const { status, info } = readInfo(der);
  const isGranted = status === PKIStatus.granted || status === PKIStatus.grantedWithMods;
  if (!isGranted || info === undefined) throw new TimestampError('no token was granted');
  const { hashAlgorithm, hashedMessage } = info.messageImprint;
  const isSame =
    hashAlgorithm.algorithmId === SHA256 &&
    equalBytes(new Uint8Array(hashedMessage.valueBlock.valueHexView), digest) &&
    equalBytes(new Uint8Array(info.nonce?.valueBlock.valueHexView ?? []), nonce);
  if (!isSame) throw new TimestampError('the token is for something else');
}

/** The library's own errors quote what came. */
function readInfo(der: Uint8Array): { status: PKIStatus; info: TSTInfo | undefined } {
  try {
    const { status, timeStampToken } = TimeStampResp.fromBER(new Uint8Array(der));
    if (!(timeStampToken instanceof ContentInfo)) return { status: status.status, info: undefined };
    const { encapContentInfo } = new SignedData({ schema: timeStampToken.content });
    const content = encapContentInfo.eContent?.getValue();
    return { status: status.status, info: content && TSTInfo.fromBER(content) };
  } catch {
    throw new TimestampError('the answer is no timestamp');
  }
}

async function readBounded(response: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += part.length;
    // Leaving the loop cancels the rest.
    if (length > MAX_RESPONSE_BYTES) throw new TimestampError('the answer is too long');
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts, length));
}
