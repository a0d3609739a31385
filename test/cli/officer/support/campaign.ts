import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { toBase58 } from '../../../../protocol/encoding/bytes.ts';
import { encodeSnapshot } from '../../../../protocol/stake/snapshot.ts';
import { NETWORK } from './officers.ts';

const run = promisify(execFile);

/** A git repository whose last commit is the fix, already taken back. */
export interface TestRepository {
  readonly path: string;
  readonly base: string;
  readonly tree: string;
  readonly patch: Uint8Array;
}

const gitEnvironment = {
  PATH: process.env['PATH'],
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_COMMITTER_NAME: 'A',
  GIT_COMMITTER_EMAIL: 'a@example.org',
};

export async function git(path: string, ...args: string[]): Promise<string> {
  const { stdout } = await run('git', ['-C', path, ...args], { env: gitEnvironment });
  return stdout;
}

/** A fix in `src/zeroize.rs`, made in a real repository. */
export async function makeRepository(path: string): Promise<TestRepository> {
  await mkdir(join(path, 'src'), { recursive: true });
  await git(path, 'init', '--quiet', '--initial-branch=main');
  await writeFile(join(path, 'src', 'zeroize.rs'), 'let balance = a + b;\n');
  await git(path, 'add', '.');
  await git(path, 'commit', '--quiet', '--message', 'Base');
  const base = (await git(path, 'rev-parse', 'HEAD')).trim();
  await writeFile(join(path, 'src', 'zeroize.rs'), 'let balance = a.checked_add(b)?;\n');
  await git(path, 'commit', '--quiet', '--all', '--message', 'Update');
  const tree = (await git(path, 'rev-parse', 'HEAD^{tree}')).trim();
  const patch = Buffer.from(await git(path, 'format-patch', '-1', '--stdout'));
  await git(path, 'reset', '--quiet', '--hard', base);
  await git(path, 'reflog', 'expire', '--expire=now', '--all');
  await git(path, 'gc', '--quiet', '--prune=now');
  return { path, base, tree, patch: new Uint8Array(patch) };
}

/** Base58 of 32 equal bytes. */
export const address = (byte: number): string => toBase58(new Uint8Array(32).fill(byte));

/** Stake of three validators, of which the first two are more than two thirds. */
export function testSnapshot(network = NETWORK): Uint8Array {
  return encodeSnapshot({
    network,
    point: 'epoch 650',
    source: 'test',
    rows: [
      { identity: address(1), voteAccount: address(11), stake: 40n },
      { identity: address(2), voteAccount: address(12), stake: 40n },
      { identity: address(3), voteAccount: address(13), stake: 20n },
    ],
  });
}

export const CAMPAIGN = 'SDX-2026-7KQ4';
export const RELEASE_TIME = '2026-11-18T14:00:00Z'; // a Wednesday

export interface CampaignChanges {
  readonly file?: Record<string, unknown>;
  /** Relative path → content; `null` removes it. */
  readonly files?: Readonly<Record<string, string | Uint8Array | null>>;
}

/** Fill a directory with a campaign that lints without errors, apart from `changes`. */
export async function fillCampaign(
  path: string,
  repository: TestRepository,
  changes: CampaignChanges = {},
): Promise<void> {
  const file = {
    format: 'sealdrop-campaign/v1',
    id: CAMPAIGN,
    network: NETWORK,
    exercise: false,
    releaseTime: RELEASE_TIME,
    latestDisclosure: '2026-12-02T14:00:00Z',
    variants: [
      {
        name: 'agave',
        base: repository.base,
        tree: repository.tree,
        toolchain: 'rustc 1.82.0',
        files: ['0001-agave.patch'],
      },
    ],
    snapshot: 'stake.txt',
    regions: [{ zone: 'UTC', percent: 100, country: 'US' }],
    ...changes.file,
  };
  const files: Record<string, string | Uint8Array | null> = {
    'campaign.json': JSON.stringify(file, null, 2),
    'notice.md': `# ${CAMPAIGN}\n\nA critical update comes on ${RELEASE_TIME}. Be there.\n`,
    'disclosure.md': '# Unchecked addition mints tokens\n\nIt overflowed.\n',
    'INSTRUCTIONS.md': 'git apply --index 0001-agave.patch\n',
    'artifacts/agave/0001-agave.patch': repository.patch,
    'stake.txt': testSnapshot(),
    ...changes.files,
  };
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(path, name, '..'), { recursive: true });
    if (content === null) await rm(join(path, name), { force: true });
    else await writeFile(join(path, name), content);
  }
}

export async function readText(...parts: string[]): Promise<string> {
  return readFile(join(...parts), 'utf8');
}
