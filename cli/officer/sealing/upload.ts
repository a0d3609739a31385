import { toBase64 } from '../../../protocol/encoding/bytes.ts';
import { parseTime } from '../../../protocol/encoding/time.ts';
import { ciphertextsOf } from '../../../protocol/plan/ciphertexts.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { CliError, ProblemError } from '../../errors.ts';
import type { OfficerSession } from '../session.ts';
import { bundlePath, type SealedDirectory } from './sealed-dir.ts';

/**
 * Give the server everything it is to hold of a sealed campaign: none of it can be read without an
 * officer's key. Run again after an interruption, it does the rest.
 *
 * @param before - The plan in force, for a revision of it. Its ciphertexts are there already.
 */
export async function uploadCampaign(
  session: OfficerSession,
  path: string,
  { plan, planBytes, snapshot, custody }: SealedDirectory,
  before?: Plan,
): Promise<void> {
  const { client, context } = session;
  if (before === undefined) {
    if (await isKnown(session, plan.campaign)) return;
    if (parseTime(plan.releaseTime) <= context.now()) {
      throw new CliError('the release time has passed', 'set another one and seal anew');
    }
  }
  const there = new Set(before?.bundles.map(({ sha256 }) => sha256));
  for (const { sha256, size } of ciphertextsOf(plan)) {
    if (there.has(sha256)) continue;
    context.out.progress(`uploading ${size} bytes of ciphertext`);
    await client.uploadBlob(bundlePath(path, sha256), sha256);
  }
  await client.postSnapshot(snapshot);
  await client.createCampaign({
    plan: toBase64(planBytes),
    custody: custody.map(({ sealed, ...share }) => ({ ...share, sealed: toBase64(sealed) })),
  });
}

/** A campaign is created last, so one that is there has its ciphertext too. */
async function isKnown({ client }: OfficerSession, campaign: string): Promise<boolean> {
  try {
    await client.campaign(campaign);
    return true;
  } catch (error) {
    if (error instanceof ProblemError && error.status === 404) return false;
    throw error;
  }
}
