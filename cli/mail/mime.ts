import { fromBase64, utf8Decode, utf8Encode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';

/**
 * A MIME reader for our own mails and nothing else: no nesting, no encoded words, no comments, each
 * header at most once. What a general reader would guess at is refused here.
 */
export interface Entity {
  /** Lower-case name → unfolded value. */
  readonly headers: ReadonlyMap<string, string>;
  /** Everything after the blank line. */
  readonly body: string;
}

/** A `Content-Type` or `Content-Disposition`: its value, and parameters by lower-case name. */
export interface StructuredHeader {
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const HEADER = /^([!-9;-~]+):[ \t]*(.*)$/;
const PARAMETER = /;\s*([A-Za-z][A-Za-z0-9-]*)=(?:"([^"\\]*)"|([A-Za-z0-9._/+-]+))\s*/y;
const QUOTED_PRINTABLE = /^(?:[\t -<>-~]|=[0-9A-F]{2})*$/;

/**
 * Split an entity into headers and body.
 *
 * @param text - With CRLF line ends.
 * @param repeatable - Whether a header may occur twice, as those that relays add do; then the map
 *   holds only headers that occur once.
 * @throws {@link ProtocolError} `message_invalid`
 */
export function parseEntity(text: string, repeatable = false): Entity {
  const blank = text.indexOf('\r\n\r\n');
  if (blank < 0) throw refuse('no blank line after the headers');
  const headers = new Map<string, string>();
  const repeated = new Set<string>();
  for (const line of text
    .slice(0, blank)
    .replaceAll(/\r\n(?=[ \t])/g, '')
    .split('\r\n')) {
    const [, name, value] = HEADER.exec(line) ?? [];
    if (name === undefined || value === undefined) throw refuse('malformed header');
    const key = name.toLowerCase();
    if (headers.has(key)) repeated.add(key);
    headers.set(key, value.trim());
  }
  if (repeated.size > 0 && !repeatable) throw refuse('a header twice');
  for (const key of repeated) headers.delete(key);
  return { headers, body: text.slice(blank + 4) };
}

/** Read a header with parameters. @throws {@link ProtocolError} `message_invalid` */
export function parseStructured(header: string | undefined): StructuredHeader {
  const value = /^[A-Za-z0-9./+-]+/.exec(header ?? '')?.[0];
  if (header === undefined || value === undefined) throw refuse('missing or malformed header');
  const parameters = new Map<string, string>();
  PARAMETER.lastIndex = value.length;
  while (PARAMETER.lastIndex < header.length) {
    const match = PARAMETER.exec(header);
    const [, name, quoted, token] = match ?? [];
    if (name === undefined || parameters.has(name.toLowerCase())) throw refuse('bad parameter');
    parameters.set(name.toLowerCase(), quoted ?? token ?? '');
  }
  return { value: value.toLowerCase(), parameters };
}

/**
 * Split a multipart body into its parts.
 *
 * @returns The parts, and what stands before the first boundary and behind the last.
 * @throws {@link ProtocolError} `message_invalid` when the last boundary is missing.
 */
export function splitParts(
  body: string,
  boundary: string,
): { readonly preamble: string; readonly parts: readonly string[]; readonly rest: string } {
  const delimiter = `\r\n--${boundary}`;
  const [preamble = '', ...sections] = `\r\n${body}`.split(delimiter);
  const last = sections.pop();
  if (!last?.startsWith('--')) throw refuse('broken parts');
  const parts = sections.map((section) => {
    if (!section.startsWith('\r\n')) throw refuse('broken boundary');
    return section.slice(2);
  });
  return { preamble, parts, rest: last.slice(2) };
}

/** Decode a text body. @throws {@link ProtocolError} `message_invalid`, `encoding_invalid` */
export function decodeQuotedPrintable(body: string): string {
  const joined = body.replaceAll('=\r\n', '');
  if (!joined.split('\r\n').every((line) => QUOTED_PRINTABLE.test(line))) {
    throw refuse('text is not quoted-printable');
  }
  const bytes: number[] = [];
  for (let index = 0; index < joined.length; index++) {
    if (joined[index] === '=') {
      bytes.push(Number.parseInt(joined.slice(index + 1, index + 3), 16));
      index += 2;
    } else bytes.push(joined.charCodeAt(index));
  }
  return utf8Decode(Uint8Array.from(bytes));
}

/** Decode an attachment. @throws {@link ProtocolError} `encoding_invalid` unless canonical. */
export function decodeBase64(body: string): Uint8Array {
  return fromBase64(body.replaceAll('\r\n', ''));
}

/** Turn a file into text with CRLF line ends. @throws {@link ProtocolError} `message_invalid` */
export function toMailText(bytes: Uint8Array): string {
  const text = utf8Decode(bytes).replaceAll('\r\n', '\n');
  if (text.includes('\0') || text.includes('\r') || utf8Encode(text).length !== text.length) {
    throw refuse('not an ASCII mail');
  }
  return text.replaceAll('\n', '\r\n');
}

function refuse(reason: string): ProtocolError {
  return new ProtocolError('message_invalid', `mail: ${reason}`);
}
