import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { hex64 } from '../../protocol/encoding/shape.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import type { CampaignDirectory } from './campaign-dir.ts';
import { readCampaignFile, type CampaignFile } from './campaign-file.ts';
import { hasErrors, type Finding } from './finding.ts';
import { lintArtifacts } from './lint-artifacts.ts';
import { lintPatches, patchesOf } from './lint-patches.ts';
import { lintReviews } from './lint-reviews.ts';
import { lintStake } from './lint-stake.ts';
import { lintAgreement, lintTexts } from './lint-texts.ts';
import { lintTimes } from './lint-times.ts';
import { lintTrust } from './lint-trust.ts';
import { lintWords } from './lint-words.ts';
import type { GitContext } from './patched-tree.ts';

/** What linting needs to know beyond the directory. */
export interface LintFacts extends GitContext {
  /** Unix ms. */
  readonly now: number;
  /** The root of trust that the campaign will be signed under, if one is known here. */
  readonly root: TrustRoot | undefined;
  /** Local clones by variant. */
  readonly repositories: ReadonlyMap<string, string>;
  /** A snapshot kept by `network add`, by digest. */
  findSnapshot(digest: string): Promise<Uint8Array | undefined>;
}

/** A campaign directory without errors, as `seal` takes it. */
export interface LintedCampaign {
  readonly campaign: CampaignFile;
  readonly directory: CampaignDirectory;
  /** Canonical snapshot. */
  readonly snapshot: Uint8Array;
}

export interface LintResult {
  readonly findings: readonly Finding[];
  /** There only when nothing among the findings is an error. */
  readonly linted?: LintedCampaign;
}

/** Find everything that is wrong with a campaign, not only the first. */
export async function lintCampaign(
  directory: CampaignDirectory,
  facts: LintFacts,
): Promise<LintResult> {
  const findings: Finding[] = [...directory.findings, ...lintTexts(directory)];
  const file = directory.files.get('campaign.json');
  const campaign = file && readCampaignFile(file);
  if (campaign === undefined) return { findings };
  if (isFindings(campaign)) return { findings: [...findings, ...campaign] };

  const snapshot = await snapshotOf(campaign, directory, facts);
  const patches = campaign.variants.flatMap((variant) => patchesOf(variant, directory));
  findings.push(
    ...lintTimes(campaign, facts.now),
    ...lintAgreement(campaign, directory),
    ...lintArtifacts(campaign, directory),
    ...lintStake(campaign, snapshot),
    ...lintReviews(campaign, facts.root),
    ...(await lintTrust(campaign, facts.root, facts.now)),
    ...(await lintPatches(campaign, directory, facts.repositories, facts)),
    ...lintWords(
      textOf(directory, 'notice.md'),
      textOf(directory, 'disclosure.md'),
      patches.map(({ bytes }) => bytes),
    ),
  );
  if (hasErrors(findings) || snapshot === undefined) return { findings };
  return { findings, linted: { campaign, directory, snapshot } };
}

async function snapshotOf(
  { snapshot }: CampaignFile,
  directory: CampaignDirectory,
  facts: LintFacts,
): Promise<Uint8Array | undefined> {
  if (hex64.safeParse(snapshot).success) return facts.findSnapshot(snapshot);
  return directory.files.get(snapshot);
}

function isFindings(value: CampaignFile | readonly Finding[]): value is readonly Finding[] {
  return Array.isArray(value);
}

/** The text, or nothing where it is not there or not text: another rule has said so. */
function textOf(directory: CampaignDirectory, name: string): string {
  try {
    return utf8Decode(directory.files.get(name) ?? new Uint8Array());
  } catch (cause) {
    if (cause instanceof ProtocolError) return '';
    throw cause;
  }
}
