import { sha256Hex, utf8Decode } from '../../../protocol/encoding/bytes.ts';
import { parseTime } from '../../../protocol/encoding/time.ts';
import { readRecipientKey } from '../../../protocol/contact/contact-key.ts';
import { NO_CAMPAIGN } from '../../../protocol/log/opening.ts';
import type { Envelope } from '../../../protocol/signature/dsse.ts';
import { encodeEnvelope } from '../../../protocol/signature/dsse.ts';
import type { VerifyEd25519 } from '../../../protocol/signature/ed25519.ts';
import type { NoteSigner } from '../../../protocol/signature/note.ts';
import type { Enrolment } from '../../../protocol/statement/enrolment.ts';
import { purposeOfKeys } from '../../../protocol/trust/root-rules.ts';
import { parseEnrolment, verifyEnrolment } from '../../../protocol/statement/enrolment.ts';
import { parseAddress } from '../contact/address.ts';
import { refuseUnless, ServiceError } from '../error.ts';
import type { Logger } from '../logger.ts';
import type { EnrolledOperator, Roster } from '../people/roster.ts';
import type { Acceptance, Receipted } from '../sealing.ts';
import { sealWithReceipt } from '../sealing.ts';
import type { Serial } from '../serial.ts';
import type { Snapshots } from '../snapshots.ts';
import type { Trust } from '../trust/trust.ts';

/** How far an operator's clock may be ahead of ours. */
const MAX_CLOCK_SKEW_MS = 5 * 60_000;

/** Each enrolment stays for ever, so nobody may make any number of them with one validator. */
const MAX_TIMES_ENROLLED = 20;

/** What is kept of an accepted enrolment. */
interface NewEnrolment extends Omit<EnrolledOperator, 'enrolment'> {
  readonly operator: string;
  /** SHA-256 of the envelope. */
  readonly digest: string;
  readonly entry: Receipted;
}

export interface EnrolmentStore {
  /** In the order in which they were accepted. */
  listEnrolments(): Promise<readonly Omit<EnrolledOperator, 'enrolment'>[]>;
  findEnrolment(digest: string): Promise<Acceptance | undefined>;
  addEnrolment(enrolment: NewEnrolment): Promise<void>;
}

interface EnrolmentRequest {
  readonly envelope: Envelope;
  readonly contact: { readonly email: string; readonly openpgp: string };
}

export interface Enrolments {
  enrol(request: EnrolmentRequest): Promise<Acceptance>;
}

/**
 * Bind operators to validator identities.
 *
 * Nobody is logged in here: the envelope proves the operator key, and each identity in it vouches
 * for that key. Cheap checks come first, because anyone can ask.
 */
export function enrolments(deps: {
  readonly store: EnrolmentStore;
  readonly roster: Roster;
  readonly snapshots: Snapshots;
  readonly trust: Trust;
  readonly log: NoteSigner;
  readonly verify: VerifyEd25519;
  readonly serial: Serial;
  readonly logger: Logger;
  readonly now: () => number;
}): Enrolments {
  const { store, roster, trust, logger } = deps;

  const accept = async (
    { envelope, contact }: EnrolmentRequest,
    digest: string,
  ): Promise<Acceptance> => {
    const known = await store.findEnrolment(digest);
    // The same envelope never changes the contact: once it is public, anybody could send it.
    if (known !== undefined) return known;
    const email = parseAddress(contact.email);
    if (email === undefined)
      throw new ServiceError('request_invalid', 'not one plain mail address');
    const { enrolment, armored } = await verifyAll(envelope, contact.openpgp);

    const content = encodeEnvelope(envelope);
    const entry = sealWithReceipt(deps.log, deps.now(), NO_CAMPAIGN, 'enrolment', content);
    const operator = { envelope: utf8Decode(content), email, openpgp: armored };
    await store.addEnrolment({ ...operator, operator: enrolment.operator, digest, entry });
    warnOfTakeovers(enrolment);
    roster.add({ ...operator, enrolment });
    return { receipt: entry.receipt, opening: entry.opening };
  };

  const verifyAll = async (
    envelope: Envelope,
    openpgp: string,
  ): Promise<{ enrolment: Enrolment; armored: string }> => {
    const claimed = parseEnrolment(envelope.payload);
    const { network, origin, operator, issuedAt, proofs } = claimed;
    refuseUnless(network === trust.current.network, 'the enrolment is for another network');
    refuseUnless(origin === trust.current.origin, 'the enrolment is for another service');
    refuseUnless(!trust.officers.has(operator), 'this key belongs to an officer');
    const isListed = purposeOfKeys(trust.current).has(operator);
    refuseUnless(!isListed, 'this key is listed in the root of trust for another purpose');
    refuseUnless(
      parseTime(issuedAt) <= deps.now() + MAX_CLOCK_SKEW_MS,
      'the enrolment is from the future',
    );
    const { stakes } = deps.snapshots.latest();
    const unknown = proofs.find(({ validator }) => !stakes.has(validator));
    refuseUnless(
      unknown === undefined,
      `${unknown?.validator ?? ''} is not in the network's latest stake snapshot`,
    );
    if (proofs.some(({ validator }) => roster.timesEnrolled(validator) >= MAX_TIMES_ENROLLED)) {
      throw new ServiceError('too_many_requests', 'an identity has been enrolled too often');
    }
    const enrolment = verifyEnrolment(envelope, deps.verify);
    const { fingerprint, armored } = await readRecipientKey(openpgp, new Date(deps.now()));
    refuseUnless(fingerprint === enrolment.openpgp, 'the OpenPGP key is not the one enrolled');
    return { enrolment, armored };
  };

  /** Allowed, since the identity itself has signed; but somebody should look. */
  const warnOfTakeovers = ({ operator, proofs }: Enrolment): void => {
    const taken = proofs.filter(({ validator }) => {
      const before = roster.bindings.get(validator);
      return before !== undefined && before !== operator;
    });
    if (taken.length === 0) return;
    const validators = taken.map(({ validator }) => validator);
    logger.warn({ code: 'identity_rebound', operator, validators }, 'identity bound anew');
  };

  return {
    enrol: (request) =>
      deps.serial.run('enrolment', () =>
        accept(request, sha256Hex(encodeEnvelope(request.envelope))),
      ),
  };
}
