import { verifyEd25519 } from '../../../platform/ed25519.ts';
import { mergeDetached, officerKeys, verifyDetached } from '../../../protocol/contact/detached.ts';
import type { Draft } from '../../../protocol/embargo/draft.ts';
import { sealSignatures, type Signatures } from '../../../protocol/embargo/signature-bundle.ts';
import { verifySums, type OfficerSignatures } from '../../../protocol/embargo/sums-signatures.ts';
import { sha256Hex, utf8Decode, utf8Encode } from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import {
  encodeEnvelope,
  mergeSignatures,
  parseEnvelope,
} from '../../../protocol/signature/dsse.ts';
import { verifyReleaseStatement } from '../../../protocol/statement/release.ts';
import { type TrustRoot } from '../../../protocol/trust/root.ts';
import { openAttachment, releasePayload, type Attachment } from './plaintext-attachment.ts';

/** The officers' signatures over the plaintext, merged, and who they are by. */
export interface GatheredSignatures extends Signatures {
  readonly people: readonly string[];
  /** Officers whose attachment does not hold, and why. */
  readonly rejected: readonly { readonly officer: string; readonly reason: string }[];
}

/**
 * Open the attachments of the officers who approved, verify each against the draft, and merge them.
 *
 * One that does not hold is named and left out, and does not block the others.
 *
 * @throws {@link ProtocolError} `threshold_unmet` when too few hold.
 */
export async function gatherSignatures(
  attachments: readonly Attachment[],
  draft: Draft,
  plan: Plan,
  root: TrustRoot,
  now: number,
): Promise<GatheredSignatures> {
  const payload = releasePayload(draft, plan);
  const blocks: string[] = [];
  const byOfficer = new Map<string, OfficerSignatures>();
  let merged: ReturnType<typeof parseEnvelope> | undefined;
  const people: string[] = [];
  const rejected: { officer: string; reason: string }[] = [];
  for (const { officer, sealed } of attachments) {
    try {
      const opened = await openAttachment(sealed, officer, draft, plan, root, now);
      merged = mergeSignatures(merged ?? { payload, signatures: [] }, opened.envelope);
      blocks.push(opened.sums);
      byOfficer.set(officer, opened.own);
      people.push(officer);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      rejected.push({ officer, reason: error.message });
    }
  }
  if (merged === undefined || people.length < root.directiveThreshold) {
    const names = rejected.map(({ officer }) => officer).join(', ');
    throw new ProtocolError(
      'threshold_unmet',
      `${people.length} of ${root.directiveThreshold} officers' signatures over the plaintext hold` +
        (names === '' ? '' : `; bad: ${names}`),
    );
  }
  const signatures = {
    sums: utf8Encode(await mergeDetached(blocks)),
    release: encodeEnvelope(merged),
    byOfficer,
  };
  await verifySignatures(signatures, draft, plan, root, now);
  return { ...signatures, people, rejected };
}

/**
 * Verify the second age file's contents against the draft, as an operator will.
 *
 * @throws {@link ProtocolError} `signature_invalid`, `threshold_unmet`, `statement_invalid`.
 */
export async function verifySignatures(
  { sums, release, byOfficer }: Signatures,
  draft: Draft,
  plan: Plan,
  root: TrustRoot,
  now: number,
): Promise<void> {
  const text = draft.documents.get('release.txt') ?? new Uint8Array();
  const { campaign, network, revision } = plan;
  const expected = { campaign, network, revision, release: sha256Hex(text) };
  verifyReleaseStatement(parseEnvelope(release), verifyEd25519, root, expected);
  const keys = await officerKeys(root.people.values());
  const openpgp = await verifyDetached(draft.sums, utf8Decode(sums), keys, new Date(now));
  const others = verifySums(draft.sums, byOfficer, plan, root, verifyEd25519);
  for (const people of [openpgp, others]) {
    if (people.length >= root.directiveThreshold) continue;
    throw new ProtocolError(
      'threshold_unmet',
      `SHA256SUMS is signed by ${people.length} of ${root.directiveThreshold} officers`,
    );
  }
}

/** The second age file, or one officer's part of it, for the server to keep. */
export function sealGathered(signatures: Signatures, plan: Plan): Promise<Uint8Array> {
  return sealSignatures(signatures, plan.releaseRecipient);
}
