import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runGit, type GitContext } from './git.ts';

export interface Patch {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * The git tree that results when `patches` are applied, in order, to `base`.
 *
 * The repository is only read: index and new objects live in a temporary directory, so that nothing
 * of an embargoed patch stays behind in a clone that may be pushed or backed up.
 *
 * @param repository - Path of a clone that has `base`.
 * @param base - A commit or tag as `campaign.json` allows it, so never an option.
 * @throws {@link CliError} when `base` is not there or a patch does not apply.
 */
export async function patchedTree(
  repository: string,
  base: string,
  patches: readonly Patch[],
  context: GitContext,
): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), 'sealdrop-tree-'));
  const git = async (args: readonly string[], onFailure: string): Promise<string> => {
    const env = await scratchEnvironment(repository, scratch, context);
    return runGit({ repository, env, args, onFailure }, context);
  };
  try {
    const commit = await git(
      ['rev-parse', '--verify', '--quiet', `${base}^{commit}`],
      `${repository} has no commit ${base}`,
    );
    await git(['read-tree', commit], `git cannot read ${base}`);
    for (const { name, bytes } of patches) {
      const file = join(scratch, 'next.patch');
      await writeFile(file, bytes, { mode: 0o600 });
      await git(
        ['apply', '--cached', '--whitespace=nowarn', file],
        `${name} does not apply to ${base}`,
      );
    }
    return await git(['write-tree'], 'git cannot write the patched tree');
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** New objects go to `scratch`; the repository's own are found through it. */
async function scratchEnvironment(
  repository: string,
  scratch: string,
  context: GitContext,
): Promise<Record<string, string>> {
  const objects = await runGit(
    {
      repository,
      args: ['rev-parse', '--git-path', 'objects'],
      onFailure: `${repository} is not a git repository`,
    },
    context,
  );
  return {
    GIT_INDEX_FILE: join(scratch, 'index'),
    GIT_OBJECT_DIRECTORY: scratch,
    // Quoted: a path may hold the colon that separates paths.
    GIT_ALTERNATE_OBJECT_DIRECTORIES: JSON.stringify(resolve(repository, objects)),
  };
}
