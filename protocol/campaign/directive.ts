import { z } from 'zod';
import { sha256Hex } from '../encoding/bytes.ts';
import { campaignId, hex64, networkId, safeCount, time } from '../encoding/shape.ts';
import { parseTime } from '../encoding/time.ts';
import { ProtocolError } from '../errors.ts';
import { verifyEnvelope } from '../signature/dsse.ts';
import type { Envelope } from '../signature/dsse.ts';
import type { VerifyEd25519 } from '../signature/ed25519.ts';
import { encodeStatement, parseStatementAbout } from '../statement/statement.ts';
import { signingKeys } from '../trust/root.ts';
import type { TrustRoot } from '../trust/root.ts';
import { ACTIONS, CAMPAIGN_STATUSES, getMove, nextStatus } from './transitions.ts';
import type { Action, CampaignStatus } from './transitions.ts';

/** A decision of the officers over the whole plan. It counts once a threshold of them signed it. */
export interface Directive {
  /** SHA-256 of the plan as it is to stand after this move: the statement's subject, `plan.txt`. */
  readonly plan: string;
  readonly campaign: string;
  readonly network: string;
  /** Version of the root of trust whose officers sign. */
  readonly rootVersion: number;
  /** Must be the plan's own: an exercise can never become the real thing, or the reverse. */
  readonly exercise: boolean;
  readonly action: Action;
  readonly from: CampaignStatus;
  readonly to: CampaignStatus;
  /** 1 for the first directive of a campaign, then one more each time. */
  readonly sequence: number;
  /** {@link directiveDigest} of the directive before; `null` in the first one only. */
  readonly previous: string | null;
  /** Revision of the plan as it is to stand after this move, from 1. */
  readonly revision: number;
  /** At most 1000 characters on one line; empty only where the table of moves asks for none. */
  readonly reason: string;
  /** RFC 3339 UTC. */
  readonly issuedAt: string;
  /** RFC 3339 UTC; the last signature must be there before this instant. */
  readonly expiresAt: string;
  /** The new T0: in `reschedule`, and nowhere else. */
  readonly releaseTime?: string;
  /** Disclosing without adoption: in `disclose` from `released`, and nowhere else. */
  readonly override?: true;
}

const directivePredicate = z.strictObject({
  campaign: campaignId,
  network: networkId,
  rootVersion: safeCount.min(1),
  exercise: z.boolean(),
  action: z.enum(ACTIONS),
  from: z.enum(CAMPAIGN_STATUSES),
  to: z.enum(CAMPAIGN_STATUSES),
  sequence: safeCount.min(1),
  previous: z.union([hex64, z.null()]),
  revision: safeCount.min(1),
  reason: z
    .string()
    .max(1000)
    .regex(/^\P{C}*$/u),
  issuedAt: time,
  expiresAt: time,
  releaseTime: z.exactOptional(time),
  override: z.exactOptional(z.literal(true)),
});

/**
 * Write a directive as the payload that officers sign.
 *
 * @throws {@link ProtocolError} as {@link parseDirective} does: what it refuses is never written.
 */
export function encodeDirective(directive: Directive): Uint8Array {
  const { plan, ...predicate } = directive;
  const payload = encodeStatement('directive', [{ name: 'plan.txt', sha256: plan }], predicate);
  parseDirective(payload);
  return payload;
}

/**
 * Read a directive and check everything about it that needs no other input.
 *
 * @throws {@link ProtocolError} `statement_invalid` for its shape, `transition_refused` when it
 *   describes a move that is not in the table.
 * @see docs/spec/statements.md, "Directive"
 */
export function parseDirective(payload: Uint8Array): Directive {
  const { sha256, predicate } = parseStatementAbout(
    payload,
    'directive',
    'plan.txt',
    directivePredicate,
  );
  const directive = { plan: sha256, ...predicate };
  checkMove(directive);
  if (parseTime(directive.issuedAt) >= parseTime(directive.expiresAt)) {
    throw new ProtocolError('statement_invalid', 'a directive expires after it was issued');
  }
  if ((directive.sequence === 1) !== (directive.previous === null)) {
    throw new ProtocolError('statement_invalid', 'only the first directive has none before it');
  }
  return directive;
}

/** SHA-256 of the signed payload: what the next directive names as `previous`. */
export function directiveDigest(payload: Uint8Array): string {
  return sha256Hex(payload);
}

/** A directive that a threshold of officers signed. */
export interface VerifiedDirective extends Directive {
  /** {@link directiveDigest} of the signed payload. */
  readonly digest: string;
  /** Who signed, sorted. */
  readonly people: readonly string[];
}

/**
 * Verify one directive's signatures under the root of trust it names. Whether it may follow where a
 * campaign stands is for `applyDirective` to say.
 *
 * @param roots - Verified roots by version.
 * @throws {@link ProtocolError} as {@link parseDirective} does; `trust_invalid` when the root it
 *   names is not among `roots` or of another network; `signature_invalid` or `threshold_unmet`.
 */
export function verifyDirective(
  envelope: Envelope,
  roots: ReadonlyMap<number, TrustRoot>,
  verify: VerifyEd25519,
): VerifiedDirective {
  const directive = parseDirective(envelope.payload);
  const root = roots.get(directive.rootVersion);
  if (root?.version !== directive.rootVersion || root.network !== directive.network) {
    throw new ProtocolError('trust_invalid', 'the directive names a root that is not trusted here');
  }
  const { people } = verifyEnvelope(envelope, verify, signingKeys(root), root.directiveThreshold);
  return { ...directive, digest: directiveDigest(envelope.payload), people };
}

function checkMove(directive: Directive): void {
  const { action, from, to, reason, releaseTime, override } = directive;
  const move = getMove(from, action);
  nextStatus(from, action, to);
  if (move.reason && reason.trim() === '') {
    throw new ProtocolError('statement_invalid', `${action} from ${from} needs a reason`);
  }
  if ((releaseTime !== undefined) !== (action === 'reschedule')) {
    throw new ProtocolError('statement_invalid', 'a release time goes with reschedule, only there');
  }
  if (override !== move.override) {
    throw new ProtocolError(
      'statement_invalid',
      'disclosing from released needs an override, and no other move may carry one',
    );
  }
}
