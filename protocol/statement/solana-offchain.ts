import { concatBytes, utf8Encode } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';

const SIGNING_DOMAIN = concatBytes(Uint8Array.of(0xff), utf8Encode('solana offchain'));
const HEADER_VERSION = 0;
const FORMAT_ASCII = 0;
const FORMAT_UTF8 = 1;
const MAX_TEXT_BYTES = 1212;

/**
 * The bytes that `solana sign-offchain-message TEXT` signs.
 *
 * `ff` and `solana offchain`, version `00`, format (0 when every byte is printable ASCII, else 1),
 * length as u16 little-endian, text. This legacy layout names neither the signer nor the
 * application, so the text itself has to. The first byte can start no transaction and no vote.
 *
 * @throws {@link ProtocolError} `encoding_invalid` for an empty text or a lone surrogate,
 *   `too_large` above 1212 bytes of UTF-8, where the layout would change its format.
 * @see docs/spec/statements.md, "Enrolment"; solana-sdk, offchain-message/src/lib.rs
 */
export function legacyOffchainMessage(text: string): Uint8Array {
  if (!text.isWellFormed()) throw new ProtocolError('encoding_invalid', 'text is not Unicode');
  const bytes = utf8Encode(text);
  if (bytes.length === 0) throw new ProtocolError('encoding_invalid', 'empty off-chain message');
  if (bytes.length > MAX_TEXT_BYTES) {
    throw new ProtocolError('too_large', `off-chain message above ${MAX_TEXT_BYTES} bytes`);
  }
  const format = bytes.every((byte) => byte >= 0x20 && byte <= 0x7e) ? FORMAT_ASCII : FORMAT_UTF8;
  const header = Uint8Array.of(HEADER_VERSION, format, bytes.length & 0xff, bytes.length >> 8);
  return concatBytes(SIGNING_DOMAIN, header, bytes);
}
