import { concatBytes, sha256Hex, utf8Decode, utf8Encode } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';

/** The largest sealed document, header included. */
export const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;

const DOCUMENT_TYPES = ['notice', 'release', 'disclosure', 'plan', 'share', 'opening'] as const;

export type DocumentType = (typeof DOCUMENT_TYPES)[number];

/**
 * A document whose SHA-256 binds to it and, thanks to the nonce, tells nothing about it.
 *
 * ```
 * sealdrop-document/v1
 * type: notice
 * campaign: SDX-2026-7KQ4
 * nonce: <64 hex>
 *
 * <body>
 * ```
 */
export interface SealedDocument {
  readonly type: DocumentType;
  readonly campaign: string;
  /** 256 random bits in lower-case hex, never used for another document. */
  readonly nonce: string;
  /** Any bytes but carriage returns, which a mail or an editor might add; may be empty. */
  readonly body: Uint8Array;
}

const HEADER = new RegExp(
  `^sealdrop-document/v1\n` +
    `type: (${DOCUMENT_TYPES.join('|')})\n` +
    `campaign: (SDX-\\d{4}-[0-9A-Z]{4})\n` +
    `nonce: ([0-9a-f]{64})\n\n$`,
);

/** Longer than any header, so that only this much of a document is searched for its end. */
const MAX_HEADER_BYTES = 200;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Write a sealed document, exactly as it is hashed.
 *
 * @throws {@link ProtocolError} as {@link parseDocument} does.
 */
export function encodeDocument(document: SealedDocument): Uint8Array {
  const { type, campaign, nonce, body } = document;
  const header = `sealdrop-document/v1\ntype: ${type}\ncampaign: ${campaign}\nnonce: ${nonce}\n\n`;
  const bytes = concatBytes(utf8Encode(header), body);
  // A field with a line break of its own could move where the header ends.
  if (parseDocument(bytes).body.length !== body.length) {
    throw new ProtocolError('document_invalid', 'a header field is more than one line');
  }
  return bytes;
}

/**
 * Read a sealed document. Each has exactly one encoding.
 *
 * @throws {@link ProtocolError} `too_large` above 4 MiB, `document_invalid` for anything but the
 *   header above, one blank line and a body without carriage returns.
 * @see docs/spec/documents.md
 */
export function parseDocument(bytes: Uint8Array): SealedDocument {
  if (bytes.length > MAX_DOCUMENT_BYTES) {
    throw new ProtocolError('too_large', `document above ${MAX_DOCUMENT_BYTES} bytes`);
  }
  const start = bytes.subarray(0, MAX_HEADER_BYTES);
  const blank = start.findIndex((byte, i) => byte === LINE_FEED && start[i + 1] === LINE_FEED);
  const header = HEADER.exec(asciiOrNothing(bytes.subarray(0, blank + 2)));
  const [, type, campaign, nonce] = header ?? [];
  const known = DOCUMENT_TYPES.find((name) => name === type);
  if (blank < 0 || known === undefined || campaign === undefined || nonce === undefined) {
    throw new ProtocolError('document_invalid', 'not a sealed document: header');
  }
  const body = bytes.subarray(blank + 2);
  if (body.includes(CARRIAGE_RETURN)) {
    throw new ProtocolError('document_invalid', 'a sealed document has no carriage returns');
  }
  return { type: known, campaign, nonce, body };
}

/** SHA-256 of the whole document in lower-case hex: what a commitment lists. */
export function documentDigest(bytes: Uint8Array): string {
  return sha256Hex(bytes);
}

function asciiOrNothing(bytes: Uint8Array): string {
  return bytes.every((byte) => byte < 0x80) ? utf8Decode(bytes) : '';
}
