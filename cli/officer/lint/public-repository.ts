import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CliError } from '../../errors.ts';
import { formatServerUrl, parseServerUrl } from '../../home/config.ts';
import { runGit, type GitContext } from './git.ts';

/** What everybody can see of a repository, in a bare one of our own. */
export interface PublicRepository {
  readonly path: string;
  /** Names over there, such as `refs/heads/main`, by our own names `refs/public/<n>`. */
  readonly refs: ReadonlyMap<string, string>;
  /** How many more refs there were than are looked at. */
  readonly leftOut: number;
}

/** How long one repository may take. */
const TIMEOUT_MS = 15 * 60_000;
/** The most branches and tags together, and the most changes proposed, the newest of each. */
const MAX_REFS = 2000;

/** Branches and tags, also of a clone of somebody else's; changes proposed on GitHub and GitLab. */
const BRANCH = /^refs\/(?:heads|tags|remotes)\/[^\p{C}\s:~^?*[\\]{1,400}$/u;
const PROPOSED = /^refs\/(?:pull|merge-requests)\/(\d{1,9})\/head$/;

/**
 * Whether a person named an address rather than a folder; checked as a server's is.
 *
 * @throws {@link UsageError} for an address other than https: every other protocol that git speaks is
 *   open to listeners, logs in as a person, or runs a program.
 */
export function publicAddress(source: string): string | undefined {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(source)
    ? formatServerUrl(parseServerUrl(source))
    : undefined;
}

/**
 * Copy what a public repository shows to a temporary folder and look at it there.
 *
 * Nothing about the campaign is asked: the other side sees that somebody fetched all branches, tags
 * and proposed changes, and which commits git says it has, of which there are none.
 *
 * @param depth - Commits of each branch, the newest ones.
 * @throws {@link CliError} when it cannot be had.
 */
export async function withPublicRepository<T>(
  source: string,
  depth: number,
  context: GitContext,
  look: (repository: PublicRepository, context: GitContext) => Promise<T>,
): Promise<T> {
  const address = publicAddress(source);
  const place = address ?? resolve(source);
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  const limited = { ...context, signal: AbortSignal.any([context.signal, limit]) };
  const scratch = await mkdtemp(join(tmpdir(), 'sealdrop-public-'));
  try {
    const home = join(scratch, 'home');
    await mkdir(home);
    const env = {
      // Whoever looks is nobody: no .netrc, no keys.
      HOME: home,
      GIT_ALLOW_PROTOCOL: address === undefined ? 'file' : (address.split(':')[0] ?? ''),
    };
    // Not where the person stands: that may be inside a repository with settings of its own.
    const repository = scratch;
    const listing = [...POLITE, 'ls-remote', '--quiet', '--', place];
    const listed = await runGit(
      { repository, env, args: listing, onFailure: 'cannot be read' },
      limited,
    );
    const { chosen, leftOut, objectFormat } = chooseRefs(listed);
    const path = join(scratch, 'bare.git');
    const format = `--object-format=${objectFormat}`;
    await runGit(
      {
        repository,
        args: ['init', '--quiet', '--bare', '--template=', format, '--', path],
        onFailure: 'has a format that this git does not know',
      },
      limited,
    );
    const refs = new Map(chosen.map((name, i) => [`refs/public/${i}`, name]));
    if (chosen.length > 0) {
      const options = ['--quiet', '--no-tags', '--no-write-fetch-head', `--depth=${depth}`];
      await runGit(
        {
          repository: path,
          env,
          args: [...POLITE, 'fetch', ...options, '--stdin', '--', place],
          input: [...refs].map(([ours, theirs]) => `+${theirs}:${ours}\n`).join(''),
          onFailure: 'cannot be fetched',
        },
        limited,
      );
    }
    return await look({ path, refs, leftOut }, limited);
  } catch (error) {
    if (limit.aborted && !context.signal.aborted) {
      throw new CliError(`took longer than ${TIMEOUT_MS / 60_000} minutes`, undefined, {
        cause: error,
      });
    }
    throw error;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** No redirect to elsewhere, no waiting for who sends nothing, no other repository inside. */
const POLITE = [
  'http.followRedirects=false',
  'http.lowSpeedLimit=1000',
  'http.lowSpeedTime=60',
  'protocol.version=2',
  'transfer.bundleURI=false',
  'fetch.recurseSubmodules=no',
].flatMap((setting) => ['-c', setting]);

function chooseRefs(listed: string): {
  readonly chosen: readonly string[];
  readonly leftOut: number;
  readonly objectFormat: 'sha1' | 'sha256';
} {
  const lines = listed.split('\n').map((line) => line.split('\t'));
  const names = lines.flatMap(([, name = '']) => (name.endsWith('^{}') ? [] : [name]));
  const branches = names.filter((name) => BRANCH.test(name) && !name.includes('..'));
  const proposed = names
    .flatMap((name) => {
      const number = PROPOSED.exec(name)?.[1];
      return number === undefined ? [] : [{ name, number: Number(number) }];
    })
    .sort((a, b) => b.number - a.number)
    .map(({ name }) => name);
  const chosen = [...branches.slice(0, MAX_REFS), ...proposed.slice(0, MAX_REFS)];
  return {
    chosen,
    leftOut: branches.length + proposed.length - chosen.length,
    objectFormat: lines[0]?.[0]?.length === 64 ? 'sha256' : 'sha1',
  };
}
