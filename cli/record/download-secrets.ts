import { chmod } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { openAge } from '../../platform/age.ts';
import { readFileBounded } from '../../platform/read-file.ts';
import { openBundle } from '../../protocol/embargo/bundle.ts';
import { openClosing } from '../../protocol/embargo/closing-bundle.ts';
import { readAccessKey } from '../../protocol/embargo/notice.ts';
import { combineShares } from '../../protocol/embargo/planned-shares.ts';
import {
  BREAK_GLASS_TEXT,
  openPublications,
  releasedThrough,
  type Publication,
} from '../../protocol/embargo/publications.ts';
import { openSignatures } from '../../protocol/embargo/signature-bundle.ts';
import { SUMS_NAME } from '../../protocol/embargo/sums.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { ciphertextsOfAll } from '../../protocol/plan/ciphertexts.ts';
import type { Plan } from '../../protocol/plan/plan.ts';
import type { RecordParts, ReleaseParts, RevisionParts } from '../../protocol/record/assemble.ts';
import { RECORD } from '../../protocol/record/layout.ts';
import { documentOf, publishedFor, type LoggedRevision } from '../../protocol/record/revisions.ts';
import type { Archivist } from './archivist.ts';

/** What the keys that are out open, of all revisions. */
interface Secrets extends Pick<RecordParts, 'ciphertexts' | 'documents' | 'closingKey'> {
  /** By revision. */
  readonly revisions: readonly Pick<RevisionParts, 'shares' | 'release'>[];
}

type CiphertextOf = (sha256: string) => Uint8Array;

/**
 * Download the ciphertexts and open them with the keys that are out: first the documents, then each
 * revision's shares with the access key among them, then its patch.
 *
 * @param published - Shares and keys as published, by leaf.
 * @param folder - Where ciphertexts are written to.
 * @throws {@link ProtocolError} when anything is not what the plans say.
 */
export async function downloadSecrets(
  archivist: Archivist,
  revisions: readonly LoggedRevision[],
  published: readonly { readonly index: number; readonly publication: Publication }[],
  folder: string,
): Promise<Secrets> {
  const { client, context } = archivist;
  const plans = revisions.map(({ plan }) => plan);
  const last = plans.at(-1);
  if (last === undefined) throw new Error('a disclosed campaign has a plan in force');
  const ciphertexts = await downloadCiphertexts(archivist, plans, folder);
  const ciphertextOf: CiphertextOf = (sha256) => {
    const bytes = ciphertexts.get(sha256);
    if (bytes === undefined) throw new Error('every ciphertext of the plans was downloaded');
    return bytes;
  };

  const closingKey = await client.closingKey(last.campaign);
  const documents = await openClosing(ciphertextOf(last.closingBundle.sha256), closingKey, last);
  const opened: Pick<RevisionParts, 'shares' | 'release'>[] = [];
  for (const revision of revisions) {
    const { plan } = revision;
    const notice = documentOf(documents, plans, plan.revision, 'notice.txt');
    const { shares, bad } = await openPublications(
      publishedFor(revision, published).map(({ publication }) => publication),
      plan,
      await readAccessKey(notice),
    );
    for (const { officer, of, reason } of bad) {
      context.out.warn(`what ${officer} published of the ${of} key is bad: ${reason}`);
    }
    const split = releasedThrough(shares, plan);
    if (split === 'break-glass') context.out.warn(BREAK_GLASS_TEXT);
    if (split === undefined) {
      opened.push({ shares });
    } else {
      const { key } = await combineShares(shares[split], plan, split);
      opened.push({ shares, release: await openRelease(client, revision, key, ciphertextOf) });
    }
  }
  return { ciphertexts, documents, closingKey, revisions: opened };
}

async function downloadCiphertexts(
  { client, context }: Archivist,
  plans: readonly Plan[],
  folder: string,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const ciphertexts = new Map<string, Uint8Array>();
  for (const { sha256, size } of ciphertextsOfAll(plans)) {
    context.out.progress(`downloading ${sha256}`);
    const path = join(folder, basename(RECORD.bundle(sha256)));
    await client.downloadBlob(sha256, size, path);
    await chmod(path, 0o644);
    ciphertexts.set(sha256, await readFileBounded(path, size));
  }
  return ciphertexts;
}

/** What came out at T0 of one revision. */
async function openRelease(
  client: Archivist['client'],
  { plan, digest }: LoggedRevision,
  key: string,
  ciphertextOf: CiphertextOf,
): Promise<ReleaseParts> {
  let sums: Uint8Array | undefined;
  for (const { variant, sha256 } of plan.bundles) {
    sums = (await openBundle(ciphertextOf(sha256), key, plan, variant, openAge)).files.get(
      SUMS_NAME,
    );
  }
  if (sums === undefined) throw new ProtocolError('bundle_invalid', 'a bundle without SHA256SUMS');
  const signatures = await openSignatures(await client.signatures(plan.campaign, digest), key);
  const { sums: sumsSignature, release: statement, byOfficer } = signatures;
  return { key, sums, sumsSignature, statement, byOfficer };
}
