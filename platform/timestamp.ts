import { fromBER } from 'asn1js';
import { ContentInfo, PKIStatus, SignedData, TimeStampResp, TSTInfo } from 'pkijs';

const SHA256 = '2.16.840.1.101.3.4.2.1';
const SHA256_BYTES = 32;

/** Longer than any response of an authority, certificates included. */
export const MAX_TIMESTAMP_BYTES = 64 * 1024;

/** No token, or not for what was asked. */
export class TimestampError extends Error {
  override readonly name = 'TimestampError';
}

/** What the token of a timestamping authority says. Nothing of it is verified. */
export interface TimestampToken {
  /** SHA-256 of what is timestamped. */
  readonly digest: Uint8Array;
  /** Unix ms, by the authority's clock. */
  readonly time: number;
  /** Absent when the question had none. */
  readonly nonce: Uint8Array | undefined;
}

/**
 * Read the response of a timestamping authority, what `openssl ts -verify -in` reads.
 *
 * Its signature, and whether that authority is to be trusted, are for whoever relies on the token:
 * the library knows neither the purpose that a signer's certificate must have nor the attribute that
 * ties the certificate to the token, and both are part of the answer (RFC 3161, section 2.3 and 2.4.1).
 *
 * @param der - At most {@link MAX_TIMESTAMP_BYTES}.
 * @throws {@link TimestampError} unless a token over a SHA-256 was granted, with nothing behind it.
 * @see docs/spec/log.md, "Timestamps"
 */
export function readTimestamp(der: Uint8Array): TimestampToken {
  if (der.length > MAX_TIMESTAMP_BYTES) throw new TimestampError('the answer is too long');
  const { status, info } = readInfo(der);
  const isGranted = status === PKIStatus.granted || status === PKIStatus.grantedWithMods;
  if (!isGranted || info === undefined) throw new TimestampError('no token was granted');
  const { hashAlgorithm, hashedMessage } = info.messageImprint;
  const digest = new Uint8Array(hashedMessage.valueBlock.valueHexView);
  if (hashAlgorithm.algorithmId !== SHA256 || digest.length !== SHA256_BYTES) {
    throw new TimestampError('the token is not over a SHA-256');
  }
  const time = info.genTime.getTime();
  if (Number.isNaN(time)) throw new TimestampError('the token has no time');
  const nonce = info.nonce && new Uint8Array(info.nonce.valueBlock.valueHexView);
  return { digest, time, nonce };
}

/** The library's own errors quote what came. */
function readInfo(der: Uint8Array): { status: PKIStatus; info: TSTInfo | undefined } {
  try {
    const { offset, result } = fromBER(new Uint8Array(der));
    if (offset !== der.length) throw new Error('something behind it');
    const { status, timeStampToken } = new TimeStampResp({ schema: result });
    if (!(timeStampToken instanceof ContentInfo)) return { status: status.status, info: undefined };
    const { encapContentInfo } = new SignedData({ schema: timeStampToken.content });
    const content = encapContentInfo.eContent?.getValue();
    return { status: status.status, info: content && TSTInfo.fromBER(content) };
  } catch {
    throw new TimestampError('the answer is no timestamp');
  }
}
