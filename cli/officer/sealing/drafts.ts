import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAge } from '../../../platform/age.ts';
import { recipientOf } from '../../../protocol/embargo/age.ts';
import { checkDraft, type Ciphertexts } from '../../../protocol/embargo/check-draft.ts';
import { verifyDocuments } from '../../../protocol/embargo/closing-bundle.ts';
import { openDraft, type Draft } from '../../../protocol/embargo/draft.ts';
import { readAccessKey } from '../../../protocol/embargo/notice.ts';
import { equalBytes } from '../../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { parsePlan, type Plan } from '../../../protocol/plan/plan.ts';
import { UsageError } from '../../errors.ts';
import type { OfficerSession } from '../session.ts';

/**
 * Open our draft in memory, and check that its documents are those that the plan commits to.
 *
 * Enough to mail its documents; see {@link checkAgainstServer} before approving.
 */
export async function openOwnDraft(
  { keys }: Pick<OfficerSession, 'keys'>,
  ciphertext: Uint8Array,
  plan: Plan,
  planBytes: Uint8Array,
): Promise<Draft> {
  const draft = await openDraft(ciphertext, keys.ageIdentity);
  await requireOwnDraft(draft, plan, planBytes);
  return draft;
}

/**
 * @throws {@link UsageError} for the draft of another campaign or revision; {@link ProtocolError} unless
 *   the documents of a draft are those that the plan commits to.
 */
export async function requireOwnDraft(
  draft: Draft,
  plan: Plan,
  planBytes: Uint8Array,
): Promise<void> {
  if (!equalBytes(draft.plan, planBytes)) {
    const { campaign, revision } = parsePlan(draft.plan);
    if (campaign === plan.campaign && revision === plan.revision) {
      throw new ProtocolError('plan_invalid', 'the draft is of another plan');
    }
    throw new UsageError(
      `the draft is of ${campaign}, revision ${revision}`,
      `give that of ${plan.campaign}, revision ${plan.revision}`,
    );
  }
  verifyDocuments(draft.documents, plan);
  const accessKey = await accessKeyOf(draft);
  if ((await recipientOf(accessKey)) !== plan.accessRecipient) {
    throw new ProtocolError('key_mismatch', 'the access key in the notice is not that of the plan');
  }
}

/** The identity of the access recipient: what operators open shares and key with. */
export function accessKeyOf({ documents }: Draft): Promise<string> {
  const notice = documents.get('notice.txt');
  if (notice === undefined) throw new ProtocolError('bundle_invalid', 'the draft has no notice');
  return readAccessKey(notice);
}

/** Check a draft, whole, against the ciphertext as the server holds it. */
export async function checkAgainstServer(
  session: Pick<OfficerSession, 'client' | 'context'>,
  draft: Draft,
  plan: Plan,
): Promise<void> {
  await checkDraft(draft, plan, await downloadCiphertexts(session, plan), openAge);
}

async function downloadCiphertexts(
  { client, context }: Pick<OfficerSession, 'client' | 'context'>,
  plan: Plan,
): Promise<Ciphertexts> {
  const folder = await mkdtemp(join(tmpdir(), 'sealdrop-ciphertext-'));
  try {
    const download = async (blob: { sha256: string; size: number }): Promise<Uint8Array> => {
      context.out.progress(`fetching ciphertext ${blob.sha256.slice(0, 12)}…`);
      const path = join(folder, blob.sha256);
      await client.downloadBlob(blob.sha256, blob.size, path);
      const bytes = new Uint8Array(await readFile(path));
      await rm(path);
      return bytes;
    };
    const bundles = new Map<string, Uint8Array>();
    for (const bundle of plan.bundles) bundles.set(bundle.variant, await download(bundle));
    return { bundles, closing: await download(plan.closingBundle) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
