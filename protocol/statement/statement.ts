import { z } from 'zod';
import { encodeJson, parseJson } from '../encoding/json.ts';
import { fileName, hex64, parseShape } from '../encoding/shape.ts';
import { ProtocolError } from '../errors.ts';

/** The largest statement that is looked at, in bytes of payload. An envelope holds less. */
export const MAX_STATEMENT_BYTES = 128 * 1024;

const STATEMENT_KINDS = [
  'directive',
  'enrolment',
  'ack',
  'ready',
  'decline',
  'attest',
  'revert',
  'release',
  'share',
  'release-key',
  'review',
  'endorsement',
] as const;

/** What a statement says. Part of the signed bytes, so one kind cannot pass for another. */
export type StatementKind = (typeof STATEMENT_KINDS)[number];

/** What a statement is about: a name and the SHA-256 of its bytes in lower-case hex. */
export interface Subject {
  readonly name: string;
  readonly sha256: string;
}

/** An in-toto Statement v1, its predicate not yet looked at. */
export interface Statement {
  readonly kind: StatementKind;
  readonly subject: readonly Subject[];
  readonly predicate: unknown;
}

const IN_TOTO_TYPE = 'https://in-toto.io/Statement/v1';

const predicateType = z.templateLiteral(['urn:sealdrop:', z.enum(STATEMENT_KINDS), ':v1']);

const statementShape = z.strictObject({
  _type: z.literal(IN_TOTO_TYPE),
  subject: z
    .array(z.strictObject({ name: fileName, digest: z.strictObject({ sha256: hex64 }) }))
    .min(1)
    .max(1000),
  predicateType,
  predicate: z.record(z.string(), z.unknown()),
});

/**
 * Write a statement as the payload that gets signed.
 *
 * @param subject - At least one, names distinct.
 * @param predicate - A plain JSON object of the kind's own shape.
 * @throws {@link ProtocolError} as {@link parseStatement} does: what it refuses is never written.
 */
export function encodeStatement(
  kind: StatementKind,
  subject: readonly Subject[],
  predicate: object,
): Uint8Array {
  const payload = encodeJson({
    _type: IN_TOTO_TYPE,
    subject: subject.map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
    predicateType: `urn:sealdrop:${kind}:v1`,
    predicate,
  });
  parseStatement(payload);
  return payload;
}

/**
 * Read a payload as an in-toto Statement v1 of one of our kinds.
 *
 * The signed bytes are the ones parsed; they are never re-serialised.
 *
 * @throws {@link ProtocolError} `statement_invalid`; `too_large` or `encoding_invalid` when it is
 *   not JSON as we accept it.
 * @see https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
 */
export function parseStatement(payload: Uint8Array): Statement {
  const json = parseJson(payload, MAX_STATEMENT_BYTES);
  const statement = parseShape(statementShape, json, 'statement_invalid', 'statement');
  const subject = statement.subject.map(({ name, digest }) => ({ name, sha256: digest.sha256 }));
  if (new Set(subject.map(({ name }) => name)).size !== subject.length) {
    throw new ProtocolError('statement_invalid', 'a statement names one subject twice');
  }
  const kind = STATEMENT_KINDS.find((k) => statement.predicateType === `urn:sealdrop:${k}:v1`);
  if (kind === undefined) throw new Error('the predicate type was matched by its schema');
  return { kind, subject, predicate: statement.predicate };
}

/** The digest of the one thing that a statement is about, and what it says of it. */
interface StatementAbout<T> {
  readonly sha256: string;
  readonly predicate: T;
}

/**
 * Read a statement that must be of one given kind and about exactly one thing.
 *
 * @param name - The name its only subject must have.
 * @throws {@link ProtocolError} `statement_invalid` for another kind, name or number of subjects.
 */
export function parseStatementAbout<T>(
  payload: Uint8Array,
  kind: StatementKind,
  name: string,
  predicate: z.ZodType<T>,
): StatementAbout<T> {
  return readStatementAbout(parseStatement(payload), kind, name, predicate);
}

/** {@link parseStatementAbout} for a statement whose kind had to be seen first. */
export function readStatementAbout<T>(
  statement: Statement,
  kind: StatementKind,
  name: string,
  predicate: z.ZodType<T>,
): StatementAbout<T> {
  const [subject, ...others] = statement.subject;
  if (statement.kind !== kind) {
    throw new ProtocolError('statement_invalid', `expected a statement of kind ${kind}`);
  }
  if (subject?.name !== name || others.length > 0) {
    throw new ProtocolError('statement_invalid', `a ${kind} statement is about ${name} alone`);
  }
  const parsed = parseShape(predicate, statement.predicate, 'statement_invalid', kind);
  return { sha256: subject.sha256, predicate: parsed };
}
