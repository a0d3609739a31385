import { fileName } from '../../protocol/encoding/shape.ts';
import { ProtocolError } from '../../protocol/errors.ts';

/** The grammar of the mails that officers send, shared by who writes and who reads them. */

/** A mailbox: a plain name and a plain address, nothing that would need quoting. */
export interface Mailbox {
  readonly name: string;
  readonly address: string;
}

/** What every mail says. `text` has LF line ends; attachments keep their exact bytes. */
export interface MailContent {
  readonly from: Mailbox;
  /** With the {@link EXERCISE_PREFIX} if it is one. */
  readonly subject: string;
  readonly text: string;
  readonly attachments: ReadonlyMap<string, Uint8Array>;
  /** `<local@host>` */
  readonly messageId: string;
  readonly date: Date;
}

/** The first word of every subject in an exercise, and of no other. */
export const EXERCISE_PREFIX = 'EXERCISE: ';

/** Names the OpenPGP key a mail was written for, so that it cannot be passed on as if for another. */
export const RECIPIENT_HEADER = 'Sealdrop-Recipient-Key';

/** The boundary holds `=_`, which neither quoted-printable nor base64 can produce. */
export const BOUNDARY = '=_sealdrop_mail_part';

const SMALLEST_MAIL = 16 * 1024;
const LARGEST_MAIL = 8 * 1024 * 1024;
const MAX_ATTACHMENTS = 16;

const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9 -]{0,62}[A-Za-z0-9-])?$/;
// Dots stand between words only, so that no address needs quotes.
const ADDRESS =
  /^(?=.{3,190}$)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9][A-Za-z0-9-]*)*$/;
const SUBJECT = /^[!-~](?:[ -~]{0,198}[!-~])?$/;
const MESSAGE_ID = /^<[A-Za-z0-9][A-Za-z0-9._-]{0,99}@[A-Za-z0-9][A-Za-z0-9.-]{0,99}>$/;
// Control characters steer a terminal; bidirectional ones show a text in another order.
const UNSAFE_TEXT = /[^\P{Cc}\n\t]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

/**
 * Check that a mail says only what its grammar allows.
 *
 * @throws {@link ProtocolError} `message_invalid`, naming the part.
 */
export function checkContent(content: MailContent): void {
  const { from, subject, text, attachments, messageId, date } = content;
  const rules: readonly (readonly [string, boolean])[] = [
    ['sender', NAME.test(from.name) && ADDRESS.test(from.address)],
    ['subject', SUBJECT.test(subject) && !subject.includes('=?')],
    ['text', text.endsWith('\n') && text.isWellFormed() && !UNSAFE_TEXT.test(text)],
    ['attachment names', [...attachments.keys()].every((name) => fileName.safeParse(name).success)],
    ['number of attachments', attachments.size <= MAX_ATTACHMENTS],
    ['message id', MESSAGE_ID.test(messageId)],
    ['date', Number.isSafeInteger(date.getTime()) && date.getTime() % 1000 === 0],
  ];
  for (const [part, isAllowed] of rules) {
    if (!isAllowed) throw new ProtocolError('message_invalid', `mail: ${part} breaks the grammar`);
  }
}

/**
 * The size that a mail of `byteLength` bytes is padded to before it is encrypted: 16 KiB · 2^k.
 *
 * @throws {@link ProtocolError} `too_large` above 8 MiB.
 */
export function mailSizeClass(byteLength: number): number {
  if (byteLength > LARGEST_MAIL) throw new ProtocolError('too_large', 'mail exceeds 8 MiB');
  let size = SMALLEST_MAIL;
  while (size < byteLength) size *= 2;
  return size;
}
