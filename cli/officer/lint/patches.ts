import { CliError, InterruptedError } from '../../errors.ts';
import type { CampaignDirectory } from '../campaign/campaign-dir.ts';
import type { CampaignFile, CampaignVariant } from '../campaign/campaign-file.ts';
import { error, warning, type Finding } from '../campaign/finding.ts';
import type { GitContext } from './git.ts';
import { patchedTree, type Patch } from './patched-tree.ts';

/** The patches of one variant that are there, in the order in which operators apply them. */
export function patchesOf(variant: CampaignVariant, directory: CampaignDirectory): Patch[] {
  return variant.files
    .filter((name) => name.endsWith('.patch'))
    .sort()
    .flatMap((name) => {
      const bytes = directory.files.get(`artifacts/${variant.name}/${name}`);
      return bytes === undefined ? [] : [{ name, bytes }];
    });
}

/**
 * Apply every variant's patches to its base and compare the tree that results.
 *
 * @param repositories - Path of a local clone by variant.
 */
export async function lintPatches(
  campaign: CampaignFile,
  directory: CampaignDirectory,
  repositories: ReadonlyMap<string, string>,
  context: GitContext,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const variant of campaign.variants) {
    const where = `artifacts/${variant.name}`;
    const patches = patchesOf(variant, directory);
    const repository = repositories.get(variant.name);
    if (patches.length === 0) continue;
    if (repository === undefined) {
      const advice = `give a clone with --repo ${variant.name}=PATH`;
      findings.push(warning(where, 'patches were not tried', advice));
      continue;
    }
    try {
      const tree = await patchedTree(repository, variant.base, patches, context);
      if (tree !== variant.tree) {
        const message = `patches make the tree ${tree}, campaign.json says another`;
        findings.push(error(where, message, 'find out which one was reviewed and built'));
      }
    } catch (cause) {
      if (!(cause instanceof CliError) || cause instanceof InterruptedError) throw cause;
      findings.push(error(where, cause.message, 'check base and patches, and fetch in the clone'));
    }
    if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(variant.base)) {
      const advice = `git -C CLONE rev-parse '${variant.base}^{commit}'`;
      findings.push(warning(where, 'base is a name; a full commit hash cannot be moved', advice));
    }
  }
  for (const name of repositories.keys()) {
    if (!campaign.variants.some((variant) => variant.name === name)) {
      findings.push(error('--repo', `there is no variant ${name}`, 'check its name'));
    }
  }
  return findings;
}
