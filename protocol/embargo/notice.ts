import { parseDocument } from '../commitment/document.ts';
import { utf8Decode } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import { recipientOf } from './age.ts';

const LABEL = 'access-key: ';
const ANY_SPELLING = /^\s*access-key\s*:/im;

/**
 * Write the body of `notice.txt`: the text, and as its last line the identity of the campaign's
 * access recipient, with which an operator reads shares and key once they are published.
 *
 * @param text - Ends with a newline and has no such line of its own.
 * @param accessKey - `AGE-SECRET-KEY-1…`
 * @throws {@link ProtocolError} `key_invalid`; `document_invalid` for such a text.
 */
export async function withAccessKey(text: string, accessKey: string): Promise<string> {
  await recipientOf(accessKey);
  if (!text.endsWith('\n') || ANY_SPELLING.test(text)) {
    throw new ProtocolError('document_invalid', 'notice does not end where its key belongs');
  }
  return `${text}${LABEL}${accessKey}\n`;
}

/**
 * Read the access key out of `notice.txt`.
 *
 * @param notice - The whole sealed document.
 * @returns `AGE-SECRET-KEY-1…`; whether it belongs to the plan's access recipient is for the caller
 *   to compare, see {@link recipientOf}.
 * @throws {@link ProtocolError} `document_invalid` unless the last line, and no other, is one;
 *   `key_invalid` when it holds no age identity.
 */
export async function readAccessKey(notice: Uint8Array): Promise<string> {
  const { type, body } = parseDocument(notice);
  const text = utf8Decode(body);
  const start = text.lastIndexOf('\n', text.length - 2) + 1;
  const line = text.slice(start);
  const isNotice = type === 'notice' && line.startsWith(LABEL) && line.endsWith('\n');
  if (!isNotice || ANY_SPELLING.test(text.slice(0, start))) {
    throw new ProtocolError('document_invalid', 'notice does not end with its one access key');
  }
  const accessKey = line.slice(LABEL.length, -1);
  await recipientOf(accessKey);
  return accessKey;
}
