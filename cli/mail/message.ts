import MimeNode from 'nodemailer/lib/mime-node';
import type { PrivateKey } from 'openpgp';
import { concatBytes, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { fingerprintOf, readPublicKey } from '../../protocol/contact/key.ts';
import { signAndEncrypt } from '../../protocol/contact/message.ts';
import {
  BOUNDARY,
  checkContent,
  EXERCISE_PREFIX,
  mailSizeClass,
  RECIPIENT_HEADER,
} from './grammar.ts';
import type { MailContent, Mailbox } from './grammar.ts';

/** A mail to one recipient. */
export interface OutgoingMail {
  readonly from: Mailbox;
  /** The officer's OpenPGP key: armoured, or read once by `readContactKey` for many mails. */
  readonly signingKey: string | PrivateKey;
  /** Armoured public key, as `readRecipientKey` returns it. */
  readonly recipient: string;
  /** Printable ASCII. The server never sees it: outside stands a neutral one. */
  readonly subject: string;
  /** UTF-8 with LF line ends; the last line is ended too. */
  readonly text: string;
  readonly attachments: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  /** `<local@host>`; the server's outer one is its own. */
  readonly messageId: string;
  /** To the second; also the time of the signature. */
  readonly date: Date;
  /** Marks subject and text as an exercise. */
  readonly exercise: boolean;
}

/**
 * Build the encrypted part of a PGP/MIME mail (RFC 3156): a MIME entity with protected headers
 * (RFC 9788), padded to a size class, signed by the officer and encrypted to the recipient.
 *
 * The padding is blank and stands behind the last boundary, where no mail program shows it.
 *
 * @returns The armoured block for the `multipart/encrypted` mail that the server builds around it.
 * @throws {@link ProtocolError} `message_invalid` for content that breaks the grammar; `too_large`;
 *   `key_invalid` for a key that cannot be used.
 */
export async function buildMessage(mail: OutgoingMail): Promise<string> {
  const content = toContent(mail);
  checkContent(content);
  const recipient = await readPublicKey(mail.recipient);
  const entity = await buildEntity(content, fingerprintOf(recipient));
  return signAndEncrypt(pad(entity), { signing: mail.signingKey, recipient }, mail.date);
}

function toContent(mail: OutgoingMail): MailContent {
  const { from, messageId, date, exercise } = mail;
  const attachments = new Map(mail.attachments.map(({ name, bytes }) => [name, bytes]));
  if (attachments.size !== mail.attachments.length) {
    throw new ProtocolError('message_invalid', 'mail: two attachments have one name');
  }
  if (mail.subject.toUpperCase().startsWith(EXERCISE_PREFIX.trim())) {
    throw new ProtocolError('message_invalid', 'mail: only the builder marks an exercise');
  }
  const subject = exercise ? `${EXERCISE_PREFIX}${mail.subject}` : mail.subject;
  const notice = 'EXERCISE: this is a drill. Nothing in this mail is real.\n\n';
  const text = exercise ? `${notice}${mail.text}` : mail.text;
  return { from, subject, text, attachments, messageId, date };
}

async function buildEntity(content: MailContent, recipientKey: string): Promise<Buffer> {
  const root = new MimeNode(
    `multipart/mixed; boundary="${BOUNDARY}"; protected-headers="v1"; hp="cipher"`,
    { disableFileAccess: true, disableUrlAccess: true },
  );
  const { from, subject, messageId, date } = content;
  // `prepared`, because the library would encode some ASCII subjects as well, such as one with a quote.
  const prepared = { prepared: true, foldLines: true, value: subject };
  root.setHeader({ From: from, Subject: prepared, Date: date, 'Message-ID': messageId });
  root.setHeader(RECIPIENT_HEADER, recipientKey);

  root
    .createChild('text/plain; charset=utf-8')
    .setHeader('Content-Transfer-Encoding', 'quoted-printable')
    .setContent(content.text.replaceAll('\n', '\r\n'));
  for (const [name, bytes] of content.attachments) {
    // `prepared`, because a long name would be split into the pieces of RFC 2231.
    const disposition = { prepared: true, value: `attachment;\r\n filename="${name}"` };
    root
      .createChild('application/octet-stream')
      .setHeader('Content-Disposition', disposition)
      .setHeader('Content-Transfer-Encoding', 'base64')
      .setContent(Buffer.from(bytes));
  }
  return root.build();
}

function pad(entity: Uint8Array): Uint8Array {
  const line = `${' '.repeat(76)}\r\n`;
  const length = mailSizeClass(entity.length) - entity.length;
  const padding = line.repeat(Math.ceil(length / line.length)).slice(-length);
  return concatBytes(entity, utf8Encode(padding));
}
