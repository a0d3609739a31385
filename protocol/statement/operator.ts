import { z } from 'zod';
import { equalBytes, fromBase64 } from '../encoding/bytes.ts';
import { campaignId, networkId, personId, safeCount, time } from '../encoding/shape.ts';
import { isStrictlySorted } from '../encoding/sorted.ts';
import { ProtocolError } from '../errors.ts';
import { EMPTY_ROOT, HASH_BYTES } from '../log/merkle.ts';
import type { NamedCheckpoint } from '../log/testimony.ts';
import { verifyEnvelope } from '../signature/dsse.ts';
import type { Envelope } from '../signature/dsse.ts';
import { parseEd25519PublicKey } from '../signature/ed25519.ts';
import type { Ed25519PublicKey, VerifyEd25519 } from '../signature/ed25519.ts';
import { addressText } from '../stake/identity.ts';
import { encodeStatement, parseStatement, readStatementAbout } from './statement.ts';
import type { Subject } from './statement.ts';

/** What each kind of operator's statement is about: the only subject it may have. */
const SUBJECT_OF = {
  ack: 'notice.txt',
  ready: 'notice.txt',
  decline: 'notice.txt',
  attest: 'release.txt',
  revert: 'release.txt',
} as const;

export type OperatorStatementKind = keyof typeof SUBJECT_OF;

/** What an operator says about a campaign on behalf of validators bound to the signing key. */
export interface OperatorStatement {
  readonly kind: OperatorStatementKind;
  /** `notice.txt` for ack, ready and decline; `release.txt` for attest and revert. */
  readonly subject: Subject;
  readonly campaign: string;
  readonly network: string;
  readonly revision: number;
  /** Identities in base58, sorted bytewise, unique, 1 to 10000. */
  readonly validators: readonly string[];
  /** From 1, rising strictly per operator key and campaign over all kinds. */
  readonly counter: number;
  /** The newest log checkpoint that the signer had seen: leaves, and root hash in base64. */
  readonly checkpoint: NamedCheckpoint;
  /** RFC 3339 UTC, by the operator's clock. Decides nothing. */
  readonly issuedAt: string;
  /** Which client variant runs: in `attest`, and nowhere else. */
  readonly variant?: string;
  /** At most 500 characters on one line: in `decline` and `revert` only. */
  readonly reason?: string;
}

/** An operator's statement whose signature, author and context have been verified. */
export interface VerifiedOperatorStatement extends OperatorStatement {
  readonly operator: Ed25519PublicKey;
}

const operatorPredicate = z.strictObject({
  campaign: campaignId,
  network: networkId,
  revision: safeCount.min(1),
  validators: z.array(addressText).min(1).max(10_000),
  counter: safeCount.min(1),
  checkpoint: z.strictObject({ size: safeCount, root: z.string().length(44) }),
  issuedAt: time,
  variant: z.exactOptional(personId),
  reason: z.exactOptional(
    z
      .string()
      .max(500)
      .regex(/^\P{C}*$/u),
  ),
});

/**
 * Write an operator's statement as the payload to be signed.
 *
 * @throws {@link ProtocolError} as {@link parseOperatorStatement} does.
 */
export function encodeOperatorStatement(statement: OperatorStatement): Uint8Array {
  const { kind, subject, ...predicate } = statement;
  const payload = encodeStatement(kind, [subject], predicate);
  parseOperatorStatement(payload);
  return payload;
}

/**
 * Read an operator's statement and check everything that needs no other input.
 *
 * @throws {@link ProtocolError} `statement_invalid`, also for a kind that is not an operator's.
 * @see docs/spec/statements.md, "Operator's statement"
 */
export function parseOperatorStatement(payload: Uint8Array): OperatorStatement {
  const read = parseStatement(payload);
  const { kind } = read;
  if (!isOperatorKind(kind)) {
    throw new ProtocolError('statement_invalid', `${kind} is not an operator's statement`);
  }
  const name = SUBJECT_OF[kind];
  const { sha256, predicate } = readStatementAbout(read, kind, name, operatorPredicate);
  const { variant, reason } = predicate;
  requireCheckpoint(predicate.checkpoint);
  if (!isStrictlySorted(predicate.validators)) {
    throw new ProtocolError('statement_invalid', 'validators are sorted and named once');
  }
  if ((variant !== undefined) !== (kind === 'attest')) {
    throw new ProtocolError('statement_invalid', 'a variant goes with attest, and only there');
  }
  if (reason !== undefined && kind !== 'decline' && kind !== 'revert') {
    throw new ProtocolError('statement_invalid', `${kind} carries no reason`);
  }
  return { kind, subject: { name, sha256 }, ...predicate };
}

/** What a statement must be about to count in one campaign as it stands. */
export interface StatementContext {
  readonly campaign: string;
  readonly network: string;
  /** Of the plan in force. */
  readonly revision: number;
  /** Digests of the documents committed to, by name, as in the plan in force. */
  readonly documents: readonly Subject[];
}

/**
 * Verify that an operator made this statement, alone, about this campaign and its documents.
 *
 * Acknowledgements end with a revision of the plan. What runs does not: an `attest` or `revert` from
 * an earlier revision counts for as long as `release.txt` stays the same. Which validators the
 * operator may speak for is left to the tally.
 *
 * @throws {@link ProtocolError} `signature_invalid` unless signed by `operator` and nobody else;
 *   `statement_invalid` when it was meant for another campaign, network, revision or document.
 */
export function verifyOperatorStatement(
  envelope: Envelope,
  verify: VerifyEd25519,
  operator: Ed25519PublicKey,
  context: StatementContext,
): VerifiedOperatorStatement {
  const statement = verifySignedBy(envelope, verify, operator);
  requireContext(statement, context);
  return statement;
}

/**
 * Check that a statement is about this campaign and its documents; part of
 * {@link verifyOperatorStatement}.
 *
 * @throws {@link ProtocolError} `statement_invalid`
 */
export function requireContext(statement: OperatorStatement, context: StatementContext): void {
  const { campaign, network, revision, subject } = statement;
  demand(campaign === context.campaign, 'campaign');
  demand(network === context.network, 'network');
  const carriesOver = subject.name === 'release.txt' && revision < context.revision;
  demand(revision === context.revision || carriesOver, 'revision');
  const { name, sha256 } = subject;
  demand(
    context.documents.some((document) => document.name === name && document.sha256 === sha256),
    name,
  );
}

/**
 * Verify that whoever this statement names as its signer signed it, alone. Who that is, and whether
 * it may be said, is left to the caller.
 *
 * @throws {@link ProtocolError} `signature_invalid`; as {@link parseOperatorStatement}.
 */
export function verifySignedByOperator(
  envelope: Envelope,
  verify: VerifyEd25519,
): VerifiedOperatorStatement {
  const [signature] = envelope.signatures;
  if (signature === undefined) throw new ProtocolError('signature_invalid', 'nobody signed');
  return verifySignedBy(envelope, verify, parseEd25519PublicKey(signature.keyid));
}

function verifySignedBy(
  envelope: Envelope,
  verify: VerifyEd25519,
  operator: Ed25519PublicKey,
): VerifiedOperatorStatement {
  const { payload } = verifyEnvelope(envelope, verify, new Map([[operator, 'operator']]), 1);
  return { ...parseOperatorStatement(payload), operator };
}

function demand(isSame: boolean, what: string): void {
  if (!isSame) throw new ProtocolError('statement_invalid', `the statement is for another ${what}`);
}

/** A log without leaves has one root, so that there is one checkpoint of it. */
function requireCheckpoint({ size, root }: NamedCheckpoint): void {
  const bytes = fromBase64(root);
  if (bytes.length !== HASH_BYTES) {
    throw new ProtocolError('statement_invalid', 'a checkpoint root is 32 bytes');
  }
  if (size === 0 && !equalBytes(bytes, EMPTY_ROOT)) {
    throw new ProtocolError('statement_invalid', 'an empty log with a root of its own');
  }
}

function isOperatorKind(kind: string): kind is OperatorStatementKind {
  return Object.hasOwn(SUBJECT_OF, kind);
}
