import { open, seal } from '../../../protocol/embargo/age.ts';
import { equalBytes } from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import {
  encodeEnvelope,
  mergeSignatures,
  parseEnvelope,
  signEnvelope,
} from '../../../protocol/signature/dsse.ts';
import { CliError } from '../../errors.ts';
import type { OfficerSession } from '../session.ts';
import type { Standing } from '../standing.ts';
import {
  GIVEN,
  judgeKept,
  KEPT,
  loadPresigned,
  verifyNext,
  verifyPeople,
  type Kept,
} from './presigned.ts';

/**
 * Sign a payload ahead, as an age file to all other officers. Our home only notes that we did.
 *
 * @throws {@link ProtocolError} as {@link verifyNext}; {@link CliError} without other officers.
 */
export async function presign(
  session: OfficerSession,
  standing: Standing,
  payload: Uint8Array,
): Promise<Uint8Array> {
  const { home, keys, trust } = session;
  verifyNext(session, standing, payload);
  const others = [...trust.root.people.values()].filter(({ id }) => id !== keys.id);
  if (others.length === 0) throw new CliError('there is no other officer to sign this for');
  const sealed = await seal(
    encodeEnvelope(signEnvelope(payload, keys.signer)),
    others.map(({ age }) => age),
  );
  await home.campaign(standing.plan.campaign).writeSecret(GIVEN, payload);
  return sealed;
}

/**
 * Check one officer's signature given ahead, and keep it beside those of others under the same words.
 *
 * @param ciphertext - What {@link presign} made.
 * @param anew - Drop what is kept under other words.
 * @throws {@link ProtocolError} for what is not such a signature by another officer, under a `leaked`
 *   that may come next; {@link CliError} for one that is no use, or that would be one too many: whoever
 *   decides adds his own as the last.
 */
export async function keepPresigned(
  session: OfficerSession,
  standing: Standing,
  ciphertext: Uint8Array,
  anew: boolean,
): Promise<Kept> {
  const { home, keys, trust } = session;
  const envelope = parseEnvelope(await open(ciphertext, keys.ageIdentity));
  const [person = '', ...others] = verifyPeople(session, envelope);
  if (others.length > 0 || envelope.signatures.length > 1) {
    throw new ProtocolError('envelope_invalid', 'a file carries the signature of one officer');
  }
  verifyNext(session, standing, envelope.payload);
  if (person === keys.id) throw new CliError('this is your own signature; it is for the others');

  const { kept } = await loadPresigned(session, standing);
  const live = kept?.problem === undefined ? kept : undefined;
  const isSame = live !== undefined && equalBytes(live.envelope.payload, envelope.payload);
  if (live !== undefined && !isSame && !anew) {
    throw new CliError(
      `other words are kept, signed by ${live.people.join(', ')}`,
      'agree on one text; to drop what is kept give --anew',
    );
  }
  const people = isSame ? live.people : [];
  if (people.includes(person)) throw new CliError(`the signature of ${person} is kept already`);
  if (people.length >= trust.root.directiveThreshold - 1) {
    throw new CliError('as many signatures are kept as it takes beside your own');
  }
  const merged = isSame ? mergeSignatures(live.envelope, envelope) : envelope;
  await home.campaign(standing.plan.campaign).writeSecret(KEPT, encodeEnvelope(merged));
  return judgeKept(session, standing, merged);
}
