import { createHash } from 'node:crypto';

/** What the outside of a mail shows, all of it neutral. */
export interface MailHeaders {
  /** Plain addresses, checked by our own grammar. */
  readonly from: string;
  readonly to: string;
  /** With its angle brackets. */
  readonly messageId: string;
  readonly date: Date;
}

const CRLF = '\r\n';
const HEADER_SAFE = /^[\x20-\x7e]+$/;

/**
 * Build a PGP/MIME message around an armored block: `multipart/encrypted` with the version part and
 * the block, both 7bit.
 *
 * The outer subject says nothing; the real one is inside.
 *
 * @throws Error for a header that is not printable ASCII: nothing may start a line of its own.
 * @see RFC 3156, section 4
 */
export function buildEncryptedMail(headers: MailHeaders, armored: string): string {
  const { from, to, messageId, date } = headers;
  for (const value of [from, to, messageId]) {
    if (!HEADER_SAFE.test(value)) throw new Error('a mail header is not plain');
  }
  const hash = createHash('sha256').update(messageId).digest('hex').slice(0, 32);
  const boundary = `sealdrop-${hash}`;
  const lines = [
    `From: ${from}`,
    `To: ${to}`,
    `Message-ID: ${messageId}`,
    `Date: ${formatDate(date)}`,
    'Subject: [...]',
    'MIME-Version: 1.0',
    'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted";',
    ` boundary="${boundary}"`,
    '',
    'This is an OpenPGP/MIME encrypted message (RFC 3156).',
    `--${boundary}`,
    'Content-Type: application/pgp-encrypted',
    'Content-Description: PGP/MIME version identification',
    'Content-Transfer-Encoding: 7bit',
    '',
    'Version: 1',
    '',
    `--${boundary}`,
    'Content-Type: application/octet-stream; name="encrypted.asc"',
    'Content-Description: OpenPGP encrypted message',
    'Content-Disposition: inline; filename="encrypted.asc"',
    'Content-Transfer-Encoding: 7bit',
    '',
    ...armored.trim().split(/\r?\n/),
    '',
    `--${boundary}--`,
    '',
  ];
  return lines.join(CRLF);
}

/** RFC 5322 date in UTC. */
function formatDate(date: Date): string {
  return date.toUTCString().replace('GMT', '+0000');
}
