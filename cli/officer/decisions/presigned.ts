import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { applyDirective } from '../../../protocol/campaign/campaign.ts';
import { directiveDigest, parseDirective } from '../../../protocol/campaign/directive.ts';
import type { Directive } from '../../../protocol/campaign/directive.ts';
import { parseTime } from '../../../protocol/encoding/time.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { parseEnvelope, verifyEnvelope, type Envelope } from '../../../protocol/signature/dsse.ts';
import { signingKeys } from '../../../protocol/trust/root.ts';
import { problemOf } from '../problem.ts';
import type { OfficerSession } from '../session.ts';
import type { Standing } from '../standing.ts';

// Signatures under the next `leaked`, given ahead. They pass by hand, sealed to officers, and lie in
// officers' homes alone: at the server, M of them would open the embargo.

/** An envelope with signatures of others, never ours: so it is never a whole decision. */
export const KEPT = 'leaked-kept.json';
/** The payload that we signed last and gave away. */
export const GIVEN = 'leaked-given.json';

/** Whoever holds M-1 of them decides alone for so long. */
export const MAX_PRESIGNED_MS = 7 * 24 * 3_600_000;

/** A `leaked` that officers have signed ahead. */
interface Words {
  readonly directive: Directive;
  /** Why it is void: it has expired, or something else was decided, or has happened, since. */
  readonly problem: string | undefined;
}

/** What others signed, as this home keeps it. */
export interface Kept extends Words {
  readonly envelope: Envelope;
  /** Who signed, sorted; nobody once the root in force does not know them all. */
  readonly people: readonly string[];
}

/** What a home knows of signatures that were given ahead. */
export interface Presigned {
  readonly kept: Kept | undefined;
  /** Ours, which others may keep. */
  readonly given: Words | undefined;
}

/** @throws {@link ProtocolError} for a damaged file. */
export async function loadPresigned(
  session: OfficerSession,
  standing: Standing,
): Promise<Presigned> {
  const directory = session.home.campaign(standing.plan.campaign);
  const envelope = await directory.findSecret(KEPT);
  const payload = await directory.findSecret(GIVEN);
  return {
    kept: envelope && judgeKept(session, standing, parseEnvelope(envelope)),
    given: payload && {
      directive: parseDirective(payload),
      problem: problemOf(() => verifyNext(session, standing, payload)),
    },
  };
}

/** Verify what is kept; what is wrong with it is told, not thrown. */
export function judgeKept(session: OfficerSession, standing: Standing, envelope: Envelope): Kept {
  let people: readonly string[] = [];
  const problem = problemOf(() => {
    people = verifyPeople(session, envelope);
    verifyNext(session, standing, envelope.payload);
  });
  return { envelope, people, problem, directive: parseDirective(envelope.payload) };
}

/**
 * Verify that a payload is a `leaked` that may come next, under the root in force.
 *
 * Number, predecessor, state and plan bind it to what was decided last: any further directive, and
 * any step without one, voids it for whoever has seen that.
 *
 * @throws {@link ProtocolError} as `parseDirective` and `applyDirective` do; `transition_refused`
 *   also when it is good for longer than a week.
 */
export function verifyNext(
  { context, trust }: OfficerSession,
  { state }: Standing,
  payload: Uint8Array,
): Directive {
  const directive = parseDirective(payload);
  const { action, rootVersion, sequence, issuedAt, expiresAt } = directive;
  if (action !== 'leaked') {
    throw new ProtocolError('statement_invalid', `nobody signs ${action} ahead`);
  }
  if (rootVersion !== trust.root.version) {
    throw new ProtocolError('trust_invalid', 'it names another root than the newest');
  }
  if (sequence <= state.sequence) {
    throw new ProtocolError('transition_refused', `directive ${state.sequence} was decided since`);
  }
  if (parseTime(expiresAt) - parseTime(issuedAt) > MAX_PRESIGNED_MS) {
    throw new ProtocolError('transition_refused', 'it is good for longer than a week');
  }
  applyDirective(state, directive, directiveDigest(payload), context.now());
  return directive;
}

/** @throws {@link ProtocolError} `signature_invalid` for anybody who has no say in the root in force. */
export function verifyPeople({ trust }: OfficerSession, envelope: Envelope): readonly string[] {
  return verifyEnvelope(envelope, verifyEd25519, signingKeys(trust.root), 1).people;
}

/** What there is, in words. */
export function presignedTexts({ trust }: OfficerSession, { kept, given }: Presigned): string[] {
  const texts: string[] = [];
  if (kept !== undefined) {
    const { people, directive, problem } = kept;
    const count = `${people.length} of the ${trust.root.directiveThreshold - 1} it takes beside yours`;
    texts.push(
      problem === undefined
        ? `leaked, by ${people.join(', ')}: ${count}, until ${directive.expiresAt}: ${directive.reason}`
        : `leaked, VOID: ${problem}`,
    );
  }
  if (given?.problem === undefined && given !== undefined) {
    texts.push(`leaked, by you, for the others to keep, until ${given.directive.expiresAt}`);
  }
  return texts;
}

/** The same for a program. */
export function presignedSummary({ kept, given }: Presigned): object {
  const words = ({ directive, problem }: Words): object => ({
    reason: directive.reason,
    until: directive.expiresAt,
    problem: problem ?? null,
  });
  return {
    kept: kept === undefined ? null : { people: kept.people, ...words(kept) },
    given: given === undefined ? null : words(given),
  };
}
