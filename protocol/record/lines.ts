import { z } from 'zod';
import { envelopeJson } from '../api/exchange.ts';
import { equalBytes, joinBytes, utf8Decode, utf8Encode } from '../encoding/bytes.ts';
import { encodeJson, parseJson } from '../encoding/json.ts';
import { instant, parseShape, safeCount } from '../encoding/shape.ts';
import { ProtocolError } from '../errors.ts';
import { encodeEnvelope, parseEnvelope, type Envelope } from '../signature/dsse.ts';

/** A statement as accepted: its number within the campaign, and when by the server's clock. */
export interface StatementLine {
  readonly seq: number;
  readonly acceptedAt: string;
  readonly envelope: Envelope;
}

/** When a directive got its last signature, by the server's clock. */
export interface DirectiveLine {
  readonly sequence: number;
  readonly completedAt: string;
}

const MAX_LINE_BYTES = 256 * 1024;
const LINE_FEED = Uint8Array.of(0x0a);

const statementLine = z.strictObject({
  seq: safeCount.min(1),
  acceptedAt: instant,
  envelope: envelopeJson,
});
const directiveLines = z.strictObject({
  directives: z.array(z.strictObject({ sequence: safeCount.min(1), completedAt: instant })),
});

/** `statements/statements.jsonl`. */
export function encodeStatementLines(lines: readonly StatementLine[]): Uint8Array {
  return joinLines(
    lines.map(({ seq, acceptedAt, envelope }) => {
      const json: unknown = JSON.parse(utf8Decode(encodeEnvelope(envelope)));
      return encodeJson({ seq, acceptedAt, envelope: json });
    }),
  );
}

/**
 * Read `statements/statements.jsonl`, the exact inverse of {@link encodeStatementLines}.
 *
 * @throws {@link ProtocolError} for anything else. Nothing is verified.
 */
export function parseStatementLines(bytes: Uint8Array): StatementLine[] {
  const lines = splitLines(bytes).map((line) => {
    const json = parseJson(line, MAX_LINE_BYTES);
    const { seq, acceptedAt, envelope } = parseShape(
      statementLine,
      json,
      'encoding_invalid',
      'statement',
    );
    return { seq, acceptedAt, envelope: parseEnvelope(encodeJson(envelope)) };
  });
  return requireSame(lines, encodeStatementLines(lines), bytes);
}

/** One envelope a line, as in `shares/published.jsonl`. */
export function encodeEnvelopeLines(envelopes: readonly Envelope[]): Uint8Array {
  return joinLines(envelopes.map(encodeEnvelope));
}

/** The exact inverse of {@link encodeEnvelopeLines}; nothing is verified. */
export function parseEnvelopeLines(bytes: Uint8Array): Envelope[] {
  const envelopes = splitLines(bytes).map(parseEnvelope);
  return requireSame(envelopes, encodeEnvelopeLines(envelopes), bytes);
}

/** `directives/index.json`. */
export function encodeDirectiveIndex(directives: readonly DirectiveLine[]): Uint8Array {
  return utf8Encode(`${JSON.stringify({ directives }, null, 2)}\n`);
}

/** The exact inverse of {@link encodeDirectiveIndex}. */
export function parseDirectiveIndex(bytes: Uint8Array): readonly DirectiveLine[] {
  const json = parseJson(bytes, MAX_LINE_BYTES);
  const { directives } = parseShape(directiveLines, json, 'encoding_invalid', 'directives');
  return requireSame(directives, encodeDirectiveIndex(directives), bytes);
}

/**
 * An envelope file in its one encoding.
 *
 * @throws {@link ProtocolError} as `parseEnvelope`, and `encoding_invalid` for another spelling.
 */
export function parseEnvelopeFile(bytes: Uint8Array): Envelope {
  const envelope = parseEnvelope(bytes);
  return requireSame(envelope, encodeEnvelope(envelope), bytes);
}

function joinLines(lines: readonly Uint8Array[]): Uint8Array {
  return joinBytes(lines.flatMap((line) => [line, LINE_FEED]));
}

function splitLines(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0x0a, start);
    if (end < 0) throw new ProtocolError('encoding_invalid', 'the last line does not end');
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

function requireSame<T>(value: T, encoded: Uint8Array, bytes: Uint8Array): T {
  if (equalBytes(encoded, bytes)) return value;
  throw new ProtocolError('encoding_invalid', 'not in its one encoding');
}
