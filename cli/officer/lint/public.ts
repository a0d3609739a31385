import { CliError, InterruptedError } from '../../errors.ts';
import type { CampaignDirectory } from '../campaign/campaign-dir.ts';
import type { CampaignFile } from '../campaign/campaign-file.ts';
import { warning, type Finding } from '../campaign/finding.ts';
import type { GitContext } from './git.ts';
import { readPatchText } from './patch-text.ts';
import { patchesOf } from './patches.ts';
import { publicAddress, withPublicRepository } from './public-repository.ts';
import { findTraces, type Fix } from './public-traces.ts';
import { titleOf } from './words.ts';

const LEAKED =
  'have it taken down, and weigh releasing at once: whoever compares versions finds the bug';
/** Of one kind in one repository; the rest is a number. */
const MAX_TRACES = 5;

/** Everything of a campaign's fix that would be recognised in public. */
export function fixOf(
  campaign: CampaignFile,
  directory: CampaignDirectory,
  disclosure: string,
): Fix {
  const patches = campaign.variants.flatMap((variant) => patchesOf(variant, directory));
  const texts = patches.map(({ bytes }) => readPatchText(bytes));
  return {
    trees: new Set(campaign.variants.map(({ tree }) => tree)),
    patches,
    texts,
    titles: [...texts.flatMap(({ titles }) => titles), titleOf(disclosure)],
  };
}

/**
 * Where the fix can be seen already in a repository that everybody reads: how patches have leaked
 * before their announcement, again and again.
 *
 * @param source - `https://…`, or a folder.
 * @param depth - How many commits of each branch, tag and proposed change to look at.
 */
export async function lintPublic(
  source: string,
  depth: number,
  fix: Fix,
  context: GitContext,
): Promise<readonly Finding[]> {
  const where = `--public-repo ${publicAddress(source) ?? source}`;
  try {
    return await withPublicRepository(source, depth, context, async (repository, limited) => {
      const traces = await findTraces(repository, fix, limited);
      const findings = traces.slice(0, MAX_TRACES).map((trace) => {
        return warning(where, `${trace.where} has ${trace.what}`, LEAKED);
      });
      if (traces.length > MAX_TRACES) {
        const message = `has ${traces.length - MAX_TRACES} more traces of the fix`;
        findings.push(warning(where, message, LEAKED));
      }
      if (repository.leftOut > 0) {
        const message = `has ${repository.leftOut} branches, tags or proposed changes too many to look at`;
        findings.push(warning(where, message, 'look at the older ones by hand'));
      }
      if (repository.refs.size === 0) {
        const message = 'shows no branch and no tag, so nothing was looked at';
        findings.push(warning(where, message, 'is it the right one?'));
      }
      return findings;
    });
  } catch (error) {
    if (!(error instanceof CliError) || error instanceof InterruptedError) throw error;
    const reason = error.cause instanceof Error ? ` (${error.cause.message})` : '';
    const message = `could not be looked at: it ${error.message}${reason}`;
    return [warning(where, message, 'try again, or clone it with git and name the folder')];
  }
}
