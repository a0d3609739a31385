import { verifyEd25519 } from '../../platform/ed25519.ts';
import { readRecipientKey } from '../../protocol/contact/contact-key.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Ed25519PublicKey } from '../../protocol/signature/ed25519.ts';
import { bindIdentities, type Bindings } from '../../protocol/stake/bindings.ts';
import type { StakeSnapshot } from '../../protocol/stake/snapshot.ts';
import { verifyEnrolment, type Enrolment } from '../../protocol/statement/enrolment.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import type { EnrolmentEntry } from '../client/client.ts';
import { readEnvelope } from '../client/envelope.ts';
import type { OfficerSession } from './session.ts';

/** An operator whose every proof has been verified here. */
export interface RosterEntry {
  readonly operator: Ed25519PublicKey;
  readonly entry: EnrolmentEntry;
  readonly enrolment: Enrolment;
  /** Identities that this operator, by the newest proof, speaks for. Sorted; may be empty. */
  readonly validators: readonly string[];
  /** The key that mails are encrypted to; or why none can be written. */
  readonly contact: { readonly openpgp: string } | { readonly problem: string };
}

export interface Roster {
  /** Sorted by operator key. */
  readonly operators: readonly RosterEntry[];
  readonly bindings: Bindings;
  /** Enrolments that the server gave us but that do not verify: named, never used. */
  readonly rejected: readonly { readonly email: string; readonly reason: string }[];
}

/** Fetch every enrolment and verify it: the server can neither invent nor alter an operator. */
export async function loadRoster({ client, context, trust }: OfficerSession): Promise<Roster> {
  return verifyRoster(await client.enrolments(), trust.root, context.now());
}

/**
 * Verify every enrolment of a list.
 *
 * @param now - Unix ms.
 */
export async function verifyRoster(
  entries: readonly EnrolmentEntry[],
  root: Pick<TrustRoot, 'network' | 'origin'>,
  now: number,
): Promise<Roster> {
  const verified: { entry: EnrolmentEntry; enrolment: Enrolment }[] = [];
  const rejected: { email: string; reason: string }[] = [];
  for (const entry of entries) {
    try {
      const enrolment = verifyEnrolment(readEnvelope(entry.envelope), verifyEd25519);
      if (enrolment.network !== root.network || enrolment.origin !== root.origin) {
        throw new ProtocolError('binding_invalid', 'it is for another network or service');
      }
      verified.push({ entry, enrolment });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      rejected.push({ email: entry.email, reason: error.message });
    }
  }
  const bindings = bindIdentities(verified.map(({ enrolment }) => enrolment));
  const newest = new Map(verified.map((item) => [item.enrolment.operator, item]));
  const operators: RosterEntry[] = [];
  for (const [operator, { entry, enrolment }] of [...newest].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const validators = [...bindings].filter(([, key]) => key === operator).map(([id]) => id);
    const contact = await contactOf(entry, enrolment, now);
    operators.push({ operator, entry, enrolment, validators: validators.sort(), contact });
  }
  return { operators, bindings, rejected };
}

/** The OpenPGP key, provided it is the one that the operator signed for and can be used now. */
async function contactOf(
  { openpgp }: EnrolmentEntry,
  enrolment: Enrolment,
  now: number,
): Promise<RosterEntry['contact']> {
  try {
    const key = await readRecipientKey(openpgp, new Date(now));
    if (key.fingerprint !== enrolment.openpgp) return { problem: 'another OpenPGP key is on file' };
    return { openpgp: key.armored };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { problem: error.message };
  }
}

/** Stake of everything an operator speaks for. */
export function stakeOf({ validators }: RosterEntry, snapshot: StakeSnapshot): bigint {
  return validators.reduce((sum, id) => sum + (snapshot.stakes.get(id) ?? 0n), 0n);
}

/** Warn about every enrolment that was not used. */
export function tellRejected({ context }: OfficerSession, { rejected }: Roster): void {
  for (const { email, reason } of rejected) {
    context.out.warn(`the enrolment of ${email} does not verify and is not used: ${reason}`);
  }
}
