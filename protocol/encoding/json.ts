import { ProtocolError } from '../errors.ts';
import { utf8Decode, utf8Encode } from './bytes.ts';

/** Nothing we sign nests deeper than about ten levels. */
const MAX_DEPTH = 32;

/** Engines move such members to the front of an object, so their order could not be checked. */
const ARRAY_INDEX = /^(?:0|[1-9]\d{0,9})$/;

const CHARACTER = {
  tab: 0x09,
  lineFeed: 0x0a,
  carriageReturn: 0x0d,
  space: 0x20,
  quote: 0x22,
  colon: 0x3a,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;

/**
 * Parse JSON that is signed, hashed or decided upon. The one JSON parser for all of it.
 *
 * Apart from whitespace between tokens, which is free, every value has one spelling: the one of
 * ECMAScript's `JSON.stringify`. That refuses duplicate names (`stringify` writes a name once),
 * numbers a double cannot hold (`9007199254740993`) or that have a shorter spelling (`1.0`, `1E3`,
 * `-0`), and needless escapes (`\u0061`, `\/`). Refused besides: nesting beyond 32, escaped lone
 * surrogates, the name `__proto__`, and names that are array indices (`0`, `17`).
 *
 * @param bytes - UTF-8 without a byte order mark.
 * @param maxBytes - Checked before anything else is looked at.
 * @throws {@link ProtocolError} `too_large` or `encoding_invalid`; the message never quotes input.
 * @see docs/spec/encoding.md, "JSON"
 */
export function parseJson(bytes: Uint8Array, maxBytes: number): unknown {
  if (bytes.length > maxBytes) {
    throw new ProtocolError('too_large', `JSON is longer than ${maxBytes} bytes`);
  }
  const text = utf8Decode(bytes);
  const compact = withoutWhitespace(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid('malformed');
  }
  if (JSON.stringify(value) !== compact) {
    throw invalid('a name appears twice, or a number or string is not in its one spelling');
  }
  return value;
}

/**
 * Write `value` as compact JSON in UTF-8, members in their given order.
 *
 * `parseJson` accepts the result and returns an equal value, if `value` is plain JSON data.
 *
 * @throws {@link ProtocolError} `encoding_invalid` for what `parseJson` would refuse: a lone
 *   surrogate, a name it does not allow, nesting beyond 32.
 */
export function encodeJson(value: unknown): Uint8Array {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new TypeError('not a JSON value');
  withoutWhitespace(text);
  return utf8Encode(text);
}

/**
 * Drop whitespace outside strings and check what the comparison with `JSON.stringify` cannot see.
 *
 * Needs no valid JSON: the caller parses the text as it came, so `1 2` does not become `12`. Depth
 * is checked here because `JSON.stringify` recurses.
 */
function withoutWhitespace(text: string): string {
  let compact = '';
  let depth = 0;
  let copied = 0;
  let lastString = '';
  for (let index = 0; index < text.length; index++) {
    switch (text.charCodeAt(index)) {
      case CHARACTER.tab:
      case CHARACTER.lineFeed:
      case CHARACTER.carriageReturn:
      case CHARACTER.space:
        compact += text.slice(copied, index);
        copied = index + 1;
        break;
      case CHARACTER.openBrace:
      case CHARACTER.openBracket:
        if (++depth > MAX_DEPTH) throw invalid(`nested deeper than ${MAX_DEPTH}`);
        break;
      case CHARACTER.closeBrace:
      case CHARACTER.closeBracket:
        depth--;
        break;
      case CHARACTER.quote: {
        const end = endOfString(text, index);
        lastString = text.slice(index + 1, end);
        index = end;
        break;
      }
      case CHARACTER.colon:
        // An escaped spelling of a name is no way around: it fails the comparison.
        if (lastString === '__proto__' || ARRAY_INDEX.test(lastString)) {
          throw invalid('a name that is not allowed');
        }
        break;
    }
  }
  return compact + text.slice(copied);
}

/** Find the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index++) {
    const character = text.charCodeAt(index);
    if (character === CHARACTER.quote) return index;
    if (character === CHARACTER.backslash) {
      // JSON.stringify escapes control characters as \u00…, and nothing else but lone surrogates.
      if (text[index + 1] === 'u' && !text.startsWith('00', index + 2)) {
        throw invalid('an escape that is a lone surrogate or needless');
      }
      index++;
    }
  }
  throw invalid('malformed');
}

function invalid(reason: string): ProtocolError {
  return new ProtocolError('encoding_invalid', `JSON: ${reason}`);
}
