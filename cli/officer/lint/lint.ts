import { utf8Decode } from '../../../protocol/encoding/bytes.ts';
import { hex64 } from '../../../protocol/encoding/shape.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { TrustRoot } from '../../../protocol/trust/root.ts';
import type { CampaignDirectory } from '../campaign/campaign-dir.ts';
import { readCampaignFile, type CampaignFile } from '../campaign/campaign-file.ts';
import { hasErrors, type Finding } from '../campaign/finding.ts';
import { lintArtifacts } from './artifacts.ts';
import { lintCustody } from './custody.ts';
import type { GitContext } from './git.ts';
import type { Holidays } from './holidays.ts';
import { readPatchText } from './patch-text.ts';
import { lintPatches, patchesOf } from './patches.ts';
import { lintRegions } from './regions.ts';
import { lintReviews } from './reviews.ts';
import { lintStake } from './stake.ts';
import { lintAgreement, lintTexts } from './texts.ts';
import { lintTimelock } from './timelock.ts';
import { lintTimes } from './times.ts';
import { lintTrust } from './trust.ts';
import { lintWords } from './words.ts';

/** What linting needs to know beyond the directory. None of it asks anybody anything. */
export interface LintFacts extends GitContext {
  /** Unix ms. */
  readonly now: number;
  /** The root of trust that the campaign will be signed under, if one is known here. */
  readonly root: TrustRoot | undefined;
  /** Until when the TUF targets that are known here are good; RFC 3339 UTC. */
  readonly targetsExpire: string | undefined;
  /** Local clones by variant. */
  readonly repositories: ReadonlyMap<string, string>;
  /** Repositories that everybody reads, as a person named them. */
  readonly publicRepositories: readonly string[];
  readonly holidays: Holidays;
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
  /** There when campaign.json can be read, whatever it says. */
  readonly campaign?: CampaignFile;
  /** Canonical, or whatever lies there in its place. */
  readonly snapshot?: Uint8Array;
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
  findings.push(
    ...lintTimes(campaign, facts.now),
    ...lintRegions(campaign, facts.holidays),
    ...lintTimelock(campaign, facts.root),
    ...lintCustody(campaign, facts.root),
    ...lintAgreement(campaign, directory),
    ...lintArtifacts(campaign, directory),
    ...lintStake(campaign, snapshot),
    ...lintReviews(campaign, facts.root),
    ...(await lintTrust(campaign, facts.root, facts.targetsExpire, facts.now)),
    ...(await lintPatches(campaign, directory, facts.repositories, facts)),
    ...lintNotice(campaign, directory, facts),
  );
  const known = { findings, campaign, ...(snapshot && { snapshot }) };
  if (hasErrors(findings) || snapshot === undefined) return known;
  return { ...known, linted: { campaign, directory, snapshot } };
}

function lintNotice(
  campaign: CampaignFile,
  directory: CampaignDirectory,
  { publicRepositories }: LintFacts,
): readonly Finding[] {
  const patches = campaign.variants.flatMap((variant) => patchesOf(variant, directory));
  const variants = new Set(campaign.variants.map(({ name }) => name));
  // Operators have to be told which client it is, not where its sources are.
  const repositories = publicRepositories
    .map((source) => source.replace(/\/+$/, '').replace(/\.git$/, ''))
    .flatMap((source) => [source.split('/').slice(-2).join('/'), source.split('/').at(-1) ?? ''])
    .filter((name) => !variants.has(name));
  return lintWords(textOf(directory, 'notice.md'), {
    // Its own id stands in both, and may be four letters.
    disclosure: textOf(directory, 'disclosure.md').replaceAll(campaign.id, ''),
    patches: new Map(patches.map(({ name, bytes }) => [name, readPatchText(bytes)])),
    artifacts: campaign.variants.flatMap(({ files }) => files),
    repositories: [...new Set(repositories)],
    terms: campaign.secretTerms ?? [],
  });
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
export function textOf(directory: CampaignDirectory, name: string): string {
  try {
    return utf8Decode(directory.files.get(name) ?? new Uint8Array());
  } catch (cause) {
    if (cause instanceof ProtocolError) return '';
    throw cause;
  }
}
