import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { detachedSign, officerKeys, verifyDetached } from '../../../protocol/contact/detached.ts';
import { verifyRelease } from '../../../protocol/embargo/bundle.ts';
import type { Draft } from '../../../protocol/embargo/draft.ts';
import { openSignatures, sealSignatures } from '../../../protocol/embargo/signature-bundle.ts';
import {
  signSums,
  verifySums,
  type OfficerSignatures,
} from '../../../protocol/embargo/sums-signatures.ts';
import { sha256Hex, utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import {
  encodeEnvelope,
  parseEnvelope,
  signEnvelope,
  verifyEnvelope,
} from '../../../protocol/signature/dsse.ts';
import {
  encodeReleaseStatement,
  parseReleaseStatement,
} from '../../../protocol/statement/release.ts';
import { signingKeys, type TrustRoot } from '../../../protocol/trust/root.ts';
import type { OfficerKeys } from '../../home/keys.ts';

// What officers sign of the plaintext while approving a commitment: `SHA256SUMS` with OpenPGP, and
// with their signing key for minisign and for ssh-keygen; and the release statement. Signatures over
// plaintext would tell of it (the statement names every artifact), so they travel as age files to the
// release recipient: first one of each officer, then all in one. Whoever has the draft has that key.
// To the officers' own keys they would be open to one officer's disk and the server's.

/** The statement that every officer signs about one draft: the same bytes from each of them. */
export function releasePayload(draft: Draft, plan: Plan): Uint8Array {
  const text = draft.documents.get('release.txt') ?? new Uint8Array();
  const artifacts = verifyRelease(text, plan)
    .variants.flatMap((variant) => variant.artifacts)
    .map(({ name, sha256 }) => ({ name, sha256 }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return encodeReleaseStatement({
    artifacts,
    campaign: plan.campaign,
    network: plan.network,
    revision: plan.revision,
    release: sha256Hex(text),
    sums: sha256Hex(draft.sums),
  });
}

/**
 * Sign a draft that has been checked, for whoever has the draft as well.
 *
 * @returns An age file to the release recipient.
 */
export async function signPlaintext(
  draft: Draft,
  plan: Plan,
  keys: OfficerKeys,
  now: number,
): Promise<Uint8Array> {
  const sums = await detachedSign(draft.sums, keys.openpgp, new Date(now));
  const release = signEnvelope(releasePayload(draft, plan), keys.signer);
  const signatures = {
    sums: utf8Encode(sums),
    release: encodeEnvelope(release),
    byOfficer: new Map([[keys.id, signSums(draft.sums, plan, keys.signer)]]),
  };
  return sealSignatures(signatures, plan.releaseRecipient);
}

/** An age file to the release recipient, from one who approved. */
export interface Attachment {
  readonly officer: string;
  readonly sealed: Uint8Array;
}

/**
 * Check what came with the signatures under a pending `commit`, before adding ours: a commitment
 * that completes with too few good ones could never be armed.
 *
 * @param people - Who has signed the directive.
 * @throws {@link ProtocolError} `signature_invalid`, naming the first officer whose do not hold.
 */
export async function checkAttachments(
  attachments: readonly Attachment[],
  people: readonly string[],
  draft: Draft,
  plan: Plan,
  root: TrustRoot,
  now: number,
): Promise<void> {
  for (const officer of people) {
    const attachment = attachments.find((it) => it.officer === officer);
    try {
      if (attachment === undefined) throw new ProtocolError('bundle_invalid', 'there are none');
      await openAttachment(attachment.sealed, officer, draft, plan, root, now);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      throw new ProtocolError(
        'signature_invalid',
        `the signatures of ${officer} over the plaintext do not hold: ${error.message}`,
      );
    }
  }
}

interface Opened {
  /** An armoured block. */
  readonly sums: string;
  readonly envelope: ReturnType<typeof parseEnvelope>;
  readonly own: OfficerSignatures;
}

/** What one officer signed, verified against the draft. @throws {@link ProtocolError} when it does not hold. */
export async function openAttachment(
  sealed: Uint8Array,
  officer: string,
  draft: Draft,
  plan: Plan,
  root: TrustRoot,
  now: number,
): Promise<Opened> {
  const { sums: sumsBytes, release, byOfficer } = await openSignatures(sealed, draft.releaseKey);
  const person = root.people.get(officer);
  if (person === undefined) throw new ProtocolError('signature_invalid', 'not an officer');
  const own = byOfficer.get(officer);
  if (own === undefined || byOfficer.size !== 1) {
    throw new ProtocolError('bundle_invalid', 'not the signatures of this officer alone');
  }
  verifySums(draft.sums, byOfficer, plan, root, verifyEd25519);
  const envelope = parseEnvelope(release);
  const key = [...signingKeys(root)].filter(([, id]) => id === officer);
  verifyEnvelope(envelope, verifyEd25519, new Map(key), 1);
  if (parseReleaseStatement(envelope.payload).sums !== sha256Hex(draft.sums)) {
    throw new ProtocolError('statement_invalid', 'the release statement is of another draft');
  }
  const sums = utf8Decode(sumsBytes);
  await verifyDetached(draft.sums, sums, await officerKeys([person]), new Date(now));
  return { sums, envelope, own };
}
