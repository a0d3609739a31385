import { isReservedName } from '../../../protocol/embargo/release.ts';
import { fileName } from '../../../protocol/encoding/shape.ts';
import type { CampaignDirectory } from '../campaign/campaign-dir.ts';
import type { CampaignFile } from '../campaign/campaign-file.ts';
import { error, warning, type Finding } from '../campaign/finding.ts';

/** As `protocol/embargo/release.ts` has it. */
const MAX_NAME = 90;

const RENAME = 'rename it, here and in campaign.json';
const UNLIST = 'put the file there, or take its name out of campaign.json';

/** Room for documents, sums and the archive itself below the largest bundle of 2 GiB. */
const MAX_ARTIFACT_BYTES = 2 ** 31 - 16 * 2 ** 20;

/** What is wrong with the files that a campaign ships. */
export function lintArtifacts(
  campaign: CampaignFile,
  directory: CampaignDirectory,
): readonly Finding[] {
  const findings: Finding[] = [];
  const seen = new Map<string, string>();
  const listed = new Set<string>();
  let total = 0;
  const names = campaign.variants.map(({ name }) => name);
  for (const name of new Set(names.filter((name, index) => names.indexOf(name) !== index))) {
    findings.push(error('campaign.json.variants', `names ${name} twice`, 'merge the two'));
  }
  for (const variant of campaign.variants) {
    for (const name of variant.files) {
      const path = `artifacts/${variant.name}/${name}`;
      const lower = name.toLowerCase();
      const other = seen.get(lower);
      seen.set(lower, path);
      listed.add(path);
      if (other !== undefined) {
        findings.push(
          error(
            path,
            other === path
              ? 'is listed twice'
              : `has the name of ${other}; the list of sums is one`,
            RENAME,
          ),
        );
        continue;
      }
      const bytes = directory.files.get(path);
      total += bytes?.length ?? 0;
      if (isReservedName(name))
        findings.push(error(path, 'has a name that every bundle holds already', RENAME));
      if (name.length > MAX_NAME)
        findings.push(error(path, `has a name longer than ${MAX_NAME}`, RENAME));
      if (bytes === undefined) findings.push(error(path, 'is not there', UNLIST));
      else if (bytes.length === 0) findings.push(error(path, 'is empty', UNLIST));
    }
  }
  if (total > MAX_ARTIFACT_BYTES) {
    const message = 'are larger together than the largest bundle';
    findings.push(error('artifacts', message, 'ship sources or fewer builds'));
  }
  for (const path of directory.files.keys()) {
    if (path.startsWith('artifacts/') && !listed.has(path)) {
      const [, , name = ''] = path.split('/');
      const why = fileName.safeParse(name).success ? '' : ', and its name could not be';
      const message = `is not listed in campaign.json${why}: it will not be sealed`;
      findings.push(warning(path, message, 'list it, or take it out of the folder'));
    }
  }
  return findings;
}
