import { rename, rm } from 'node:fs/promises';
import { digestFile, writeVerified } from '../client/download.ts';
import type { Mirror, PlannedBundle } from '../client/mirror.ts';
import { reasonOf } from '../client/trouble.ts';
import { CliError, ProblemError } from '../errors.ts';
import type { CampaignDirectory } from '../home/campaign-directory.ts';
import { hasErrorCode } from '../home/files.ts';
import type { ReaderSession } from './session.ts';

/** Name of a ciphertext in a campaign's directory. */
export const bundleName = (sha256: string): string => `${sha256}.age`;

/**
 * Have a ciphertext of the plan in this home: what is here already if it is whole; else from the
 * server, or from the first mirror that has it while the server is of no help.
 *
 * @returns Its path.
 * @throws What the server answered, when nobody has it; {@link CliError} when that was 404.
 */
export async function keepCiphertext(
  { client, context }: Pick<ReaderSession, 'client' | 'context'>,
  directory: CampaignDirectory,
  bundle: PlannedBundle,
  mirrors: readonly Mirror[],
): Promise<string> {
  const { sha256, size } = bundle;
  const path = await directory.path(bundleName(sha256));
  try {
    const found = await digestFile(path);
    if (found.sha256 === sha256 && found.size === size) return path;
    await rm(path);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
  }
  // What an interrupted run left of it is no use: only the whole can be verified.
  const part = `${path}.part`;
  await rm(part, { force: true });
  const sources = [
    { name: 'the server', fetchPart: () => client.downloadBlob(sha256, size, part) },
    ...mirrors.map((mirror) => ({
      name: mirror.name,
      fetchPart: () => writeVerified(() => mirror.askForBundle(bundle), part, bundle),
    })),
  ];
  const failures: unknown[] = [];
  for (const { name, fetchPart } of sources) {
    try {
      await fetchPart();
      await rename(part, path);
      return path;
    } catch (error) {
      const reason = reasonOf(error);
      failures.push(error);
      if (mirrors.length > 0) context.out.warn(`no ciphertext from ${name}: ${reason}`);
    }
  }
  const [first] = failures;
  if (!(first instanceof ProblemError) || first.status !== 404) throw first;
  throw new CliError('the server does not have the ciphertext', 'tell an officer', {
    cause: first,
  });
}
