import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../errors.ts';
import { hasErrorCode } from '../../home/files.ts';
import { error, type Finding } from './finding.ts';

/** Everything an officer prepared for one campaign, read once, so that what is linted is sealed. */
export interface CampaignDirectory {
  readonly path: string;
  /** Bytes by relative path: `notice.md`, `artifacts/agave/fix.patch`, … */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What could not be read as a campaign directory. */
  readonly findings: readonly Finding[];
}

/** The largest bundle (`protocol/embargo/tar.ts`); nothing bigger can be sealed. */
const MAX_TOTAL_BYTES = 2 ** 31;

/** What `campaign new` explains itself with, and what `seal` makes. */
const IGNORED = new Set(['README.md', 'sealed']);

/**
 * Read a campaign directory into memory: the files in it and in `artifacts/<variant>/`.
 *
 * Symbolic links, and anything else that is not a regular file, become findings: what they lead to
 * could change between the check and the sealing.
 */
export async function readCampaignDirectory(path: string): Promise<CampaignDirectory> {
  const files = new Map<string, Uint8Array>();
  const findings: Finding[] = [];
  let total = 0;

  async function readInto(name: string): Promise<void> {
    const found = await lstat(join(path, name));
    total += found.size;
    if (!found.isFile()) {
      findings.push(error(name, 'is not a regular file', 'put the file itself there, no link'));
    } else if (total > MAX_TOTAL_BYTES) {
      const message = 'makes the directory larger than 2 GiB, the largest bundle';
      findings.push(error(name, message, 'ship sources or fewer builds'));
    } else {
      files.set(name, new Uint8Array(await readFile(join(path, name))));
    }
  }

  for (const name of await list(path)) {
    if (name !== 'artifacts' && !IGNORED.has(name)) await readInto(name);
  }
  for (const variant of await list(path, 'artifacts')) {
    const folder = `artifacts/${variant}`;
    if (!(await lstat(join(path, folder))).isDirectory()) {
      findings.push(error(folder, 'is not a folder', 'artifacts live in artifacts/<variant>/'));
      continue;
    }
    for (const file of await list(path, folder)) await readInto(`${folder}/${file}`);
  }
  return { path, files, findings };
}

/** Names in a folder, sorted, without hidden ones; none when only a part of the whole is missing. */
async function list(path: string, folder = ''): Promise<string[]> {
  try {
    return (await readdir(join(path, folder))).filter((name) => !name.startsWith('.')).sort();
  } catch (cause) {
    if (hasErrorCode(cause, 'ENOENT') && folder !== '') return [];
    if (hasErrorCode(cause, 'ENOENT'))
      throw new UsageError(`${path} does not exist`, 'sealdrop campaign new DIR');
    if (!hasErrorCode(cause, 'ENOTDIR')) throw cause;
    throw new UsageError(`${join(path, folder)} is not a folder`);
  }
}
