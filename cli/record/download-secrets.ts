import { chmod } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readFileBounded } from '../../platform/read-file.ts';
import type { Plan } from '../../protocol/campaign/plan.ts';
import { openBundle, openClosing, openSignatures } from '../../protocol/embargo/bundle.ts';
import { readAccessKey } from '../../protocol/embargo/notice.ts';
import { combineShares } from '../../protocol/embargo/share.ts';
import { SUMS_NAME } from '../../protocol/embargo/sums.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import {
  BREAK_GLASS_TEXT,
  openPublications,
  releasedThrough,
  type Publication,
} from '../operator/publications.ts';
import type { Archivist } from './archivist.ts';
import type { RecordParts, ReleaseParts } from './assemble.ts';
import { RECORD } from './layout.ts';

type Secrets = Pick<RecordParts, 'ciphertexts' | 'documents' | 'closingKey' | 'shares' | 'release'>;

/**
 * Download the ciphertexts and open them with the keys that are out: first the documents, then the
 * shares with the access key among them, then the patch.
 *
 * @param publications - Shares and keys as published.
 * @param folder - Where ciphertexts are written to.
 * @throws {@link ProtocolError} when anything is not what the plan says.
 */
export async function downloadSecrets(
  { client, context }: Archivist,
  plan: Plan,
  publications: readonly Publication[],
  folder: string,
): Promise<Secrets> {
  const ciphertexts = new Map<string, Uint8Array>();
  for (const { sha256, size } of [...plan.bundles, plan.closingBundle]) {
    context.out.progress(`downloading ${sha256}`);
    const path = join(folder, basename(RECORD.bundle(sha256)));
    await client.downloadBlob(sha256, size, path);
    await chmod(path, 0o644);
    ciphertexts.set(sha256, await readFileBounded(path, size));
  }
  const ciphertextOf = (sha256: string): Uint8Array => {
    const bytes = ciphertexts.get(sha256);
    if (bytes === undefined) throw new Error('every ciphertext of the plan was downloaded');
    return bytes;
  };

  const closingKey = await client.closingKey(plan.campaign);
  const closing = ciphertextOf(plan.closingBundle.sha256);
  const documents = await openClosing(closing, closingKey, plan);
  const notice = documents.get('notice.txt') ?? new Uint8Array();
  const { shares, bad } = await openPublications(publications, plan, await readAccessKey(notice));
  for (const { officer, of, reason } of bad) {
    context.out.warn(`what ${officer} published of the ${of} key is bad: ${reason}`);
  }
  const common = { ciphertexts, documents, closingKey, shares };
  const split = releasedThrough(shares, plan);
  if (split === undefined) return common;
  if (split === 'break-glass') context.out.warn(BREAK_GLASS_TEXT);
  const { key } = await combineShares(shares[split], plan, split);
  return { ...common, release: await openRelease(client, plan, key, ciphertextOf) };
}

async function openRelease(
  client: Archivist['client'],
  plan: Plan,
  key: string,
  ciphertextOf: (sha256: string) => Uint8Array,
): Promise<ReleaseParts> {
  let sums: Uint8Array | undefined;
  for (const { variant, sha256 } of plan.bundles) {
    sums = (await openBundle(ciphertextOf(sha256), key, plan, variant)).files.get(SUMS_NAME);
  }
  if (sums === undefined) throw new ProtocolError('bundle_invalid', 'a bundle without SHA256SUMS');
  const signatures = await openSignatures(await client.signatures(plan.campaign), key);
  const { sums: sumsSignature, release: statement, byOfficer } = signatures;
  return { key, sums, sumsSignature, statement, byOfficer };
}
