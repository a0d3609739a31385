import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** One client's fix, as its maintainers would hand it over. */
export interface PreparedVariant {
  readonly name: string;
  readonly repository: string; // path of the working tree, at its base commit
  readonly base: string; // commit, 40 hex
  readonly tree: string; // git tree after the patch, 40 hex
  readonly patchName: string;
  readonly patch: string; // path
}

const VULNERABLE = `/// Address of a region inside the program's memory map.
pub fn translate(base: u64, offset: u64, length: u64) -> u64 {
    base + offset
}
`;
const FIXED = `/// Address of a region inside the program's memory map, or nothing when it does not fit.
pub fn translate(base: u64, offset: u64, length: u64) -> Option<u64> {
    offset.checked_add(length)?;
    base.checked_add(offset)
}
`;

/** Two clients that share a bug, each in a real git repository, each with a real patch. */
export async function prepareVariants(dir: string): Promise<readonly PreparedVariant[]> {
  return [await prepareVariant(dir, 'agave'), await prepareVariant(dir, 'jito')];
}

async function prepareVariant(dir: string, name: string): Promise<PreparedVariant> {
  const repository = join(dir, `${name}-repository`);
  await mkdir(join(repository, 'src'), { recursive: true });
  const git = async (...args: string[]): Promise<string> => {
    const { stdout } = await run('git', ['-C', repository, ...args], { env: gitEnvironment(dir) });
    return stdout.trim();
  };
  await git('init', '--quiet', '--initial-branch=main');
  await writeFile(
    join(repository, 'README.md'),
    `# ${name}\n\nA validator of the rehearsal network.\n`,
  );
  await writeFile(join(repository, 'src', 'memory.rs'), VULNERABLE);
  await git('add', '.');
  await git('commit', '--quiet', '--message', 'Release 1.18.21');
  const base = await git('rev-parse', 'HEAD');

  await writeFile(join(repository, 'src', 'memory.rs'), FIXED);
  await git('commit', '--quiet', '--all', '--message', 'Update memory');
  const tree = await git('rev-parse', 'HEAD^{tree}');
  const patchName = `0001-${name}.patch`;
  const patch = join(dir, patchName);
  const { stdout } = await run('git', ['-C', repository, 'format-patch', '-1', '--stdout'], {
    env: gitEnvironment(dir),
  });
  await writeFile(patch, stdout);
  await git('reset', '--quiet', '--hard', base);
  return { name, repository, base, tree, patchName, patch };
}

/** A git that reads nobody's configuration and makes the same commits every time. */
function gitEnvironment(dir: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: dir,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Rehearsal',
    GIT_AUTHOR_EMAIL: 'rehearsal@sealdrop.invalid',
    GIT_AUTHOR_DATE: '2024-08-07T12:00:00Z',
    GIT_COMMITTER_NAME: 'Rehearsal',
    GIT_COMMITTER_EMAIL: 'rehearsal@sealdrop.invalid',
    GIT_COMMITTER_DATE: '2024-08-07T12:00:00Z',
  };
}
