import type { PrivateKey } from 'openpgp';
import type { OfficerKeys } from '../../protocol/contact/detached.ts';
import { fingerprintOf, readContactKey } from '../../protocol/contact/key.ts';
import { decryptAndVerify, MAX_MESSAGE_CHARACTERS } from '../../protocol/contact/message.ts';
import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { BOUNDARY, checkContent, EXERCISE_PREFIX, RECIPIENT_HEADER } from './grammar.ts';
import type { MailContent } from './grammar.ts';
import {
  decodeBase64,
  decodeQuotedPrintable,
  parseEntity,
  parseStructured,
  splitParts,
  toMailText,
} from './mime.ts';

/** A mail whose every word an officer signed. */
export interface ReceivedMail extends Omit<MailContent, 'from'> {
  /** The officer whose pinned key signed. What the From line says is not looked at. */
  readonly from: string;
  /** Whether subject and text mark it as an exercise. */
  readonly exercise: boolean;
}

const HEADERS = [
  'from',
  'subject',
  'date',
  'message-id',
  RECIPIENT_HEADER.toLowerCase(),
  'mime-version',
  'content-type',
];
/** The one sentence that may stand, unsigned, before the parts of a saved mail. */
const PREAMBLE = 'This is an OpenPGP/MIME encrypted message (RFC 3156).';
const FROM = /^("?)([^"]*)\1 <([^<>]*)>$/;
const DATE = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000$/;

/**
 * Open a mail and return what an officer signed, or refuse.
 *
 * Reads exactly what {@link buildMessage} writes. A valid old mail opens again: that it is about
 * the campaign at hand is for the caller to compare.
 *
 * @param bytes - Untrusted: a saved `multipart/encrypted` mail, or its armoured block alone.
 * @param recipientKey - The operator's private OpenPGP key, armoured or read before.
 * @param officers - The pinned keys by full fingerprint, see `officerKeys`.
 * @throws {@link ProtocolError} `message_invalid` for anything else; `too_large`; `key_invalid` for
 *   a bad key of ours.
 */
export async function readMessage(
  bytes: Uint8Array,
  recipientKey: string | PrivateKey,
  officers: OfficerKeys,
  now: Date,
): Promise<ReceivedMail> {
  if (bytes.length > MAX_MESSAGE_CHARACTERS) throw new ProtocolError('too_large', 'mail too long');
  const ours = typeof recipientKey === 'string' ? await readContactKey(recipientKey) : recipientKey;
  return refusing(async () => {
    const armored = findArmoredBlock(toMailText(bytes));
    const message = await decryptAndVerify(armored, ours, officers, now);
    const { recipientKey: named, ...mail } = parseMail(utf8Decode(message.content));
    if (named !== fingerprintOf(ours)) throw refuse('was written for another key');
    if (mail.date.getTime() !== message.signedAt) throw refuse('date is not that of its signature');
    return { ...mail, from: message.person, exercise: mail.subject.startsWith(EXERCISE_PREFIX) };
  });
}

function findArmoredBlock(text: string): string {
  if (text.trimStart().startsWith('-----BEGIN ')) return text;
  const { headers, body } = parseEntity(text, true);
  const { value, parameters } = parseStructured(headers.get('content-type'));
  const boundary = parameters.get('boundary');
  const isEncrypted =
    value === 'multipart/encrypted' && parameters.get('protocol') === 'application/pgp-encrypted';
  if (!isEncrypted || !boundary) throw refuse('not an encrypted mail');

  const { preamble, parts, rest } = splitParts(body, boundary);
  const [control, payload, ...others] = parts.map((part) => parseEntity(part));
  const isBare = ['', PREAMBLE].includes(preamble.trim()) && rest.trim() === '';
  if (!control || !payload || others.length > 0 || !isBare) {
    throw refuse('not exactly the two parts of an encrypted mail');
  }
  const controlType = parseStructured(control.headers.get('content-type')).value;
  const payloadType = parseStructured(payload.headers.get('content-type')).value;
  const isPgpMime =
    controlType === 'application/pgp-encrypted' &&
    control.body.trim() === 'Version: 1' &&
    payloadType === 'application/octet-stream' &&
    [control, payload].every(({ headers: own }) => isUnencoded(own));
  if (!isPgpMime) throw refuse('not PGP/MIME');
  return payload.body;
}

function isUnencoded(headers: ReadonlyMap<string, string>): boolean {
  return /^(?:7bit|8bit)$/i.test(headers.get('content-transfer-encoding') ?? '7bit');
}

function parseMail(text: string): MailContent & { readonly recipientKey: string } {
  const { headers, body } = parseEntity(text);
  const { value, parameters } = parseStructured(headers.get('content-type'));
  const isOurs =
    headers.size === HEADERS.length &&
    HEADERS.every((name) => headers.has(name)) &&
    value === 'multipart/mixed' &&
    parameters.size === 3 &&
    parameters.get('boundary') === BOUNDARY &&
    parameters.get('protected-headers') === 'v1' &&
    parameters.get('hp') === 'cipher';
  if (!isOurs) throw refuse('not made by an officer’s tool');

  const { preamble, parts, rest } = splitParts(body, BOUNDARY);
  if (preamble.trim() !== '' || /[^ \r\n]/.test(rest)) throw refuse('text between the parts');
  const [first, ...attached] = parts;
  const [, , name = '', address = ''] = FROM.exec(headers.get('from') ?? '') ?? [];
  const mail = {
    from: { name, address },
    subject: headers.get('subject') ?? '',
    text: parseText(first ?? ''),
    attachments: parseAttachments(attached),
    messageId: headers.get('message-id') ?? '',
    date: parseDate(headers.get('date') ?? ''),
  };
  checkContent(mail);
  return { ...mail, recipientKey: headers.get(RECIPIENT_HEADER.toLowerCase()) ?? '' };
}

function parseText(part: string): string {
  const { headers, body } = parseEntity(part);
  const { value, parameters } = parseStructured(headers.get('content-type'));
  const isText =
    headers.size === 2 &&
    value === 'text/plain' &&
    parameters.size === 1 &&
    parameters.get('charset') === 'utf-8' &&
    headers.get('content-transfer-encoding') === 'quoted-printable';
  if (!isText) throw refuse('does not begin with a plain text');
  return decodeQuotedPrintable(body).replaceAll('\r\n', '\n');
}

function parseAttachments(parts: readonly string[]): Map<string, Uint8Array> {
  const attachments = new Map<string, Uint8Array>();
  for (const part of parts) {
    const { headers, body } = parseEntity(part);
    const { value, parameters } = parseStructured(headers.get('content-disposition'));
    const name = parameters.get('filename');
    const isAttachment =
      headers.size === 3 &&
      headers.get('content-type') === 'application/octet-stream' &&
      headers.get('content-transfer-encoding') === 'base64' &&
      value === 'attachment' &&
      parameters.size === 1;
    if (!isAttachment || name === undefined || attachments.has(name)) {
      throw refuse('an attachment breaks the grammar');
    }
    attachments.set(name, decodeBase64(body));
  }
  return attachments;
}

function parseDate(text: string): Date {
  const date = new Date(DATE.test(text) ? Date.parse(text) : NaN);
  if (Number.isNaN(date.getTime()) || date.toUTCString().replace('GMT', '+0000') !== text) {
    throw refuse('malformed date');
  }
  return date;
}

/** Whatever a mail gets wrong, it is the mail that is refused. */
async function refusing<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ProtocolError) || error.code !== 'encoding_invalid') throw error;
    throw refuse('not in the encoding it should be in');
  }
}

function refuse(reason: string): ProtocolError {
  return new ProtocolError('message_invalid', `mail: ${reason}`);
}
