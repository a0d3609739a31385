import { ProtocolError } from '../../../protocol/errors.ts';
import type { Plan } from '../../../protocol/plan/plan.ts';
import { parseSnapshot, type StakeSnapshot } from '../../../protocol/stake/snapshot.ts';
import { percent } from '../amounts.ts';
import type { CampaignDirectory } from '../campaign/campaign-dir.ts';
import { error, warning, type Finding } from '../campaign/finding.ts';
import { parseRosterFile } from '../roster-file.ts';
import { stakeOf, verifyRoster } from '../roster.ts';
import { textOf, type LintFacts, type LintResult } from './lint.ts';
import { lintMirrors, type MirrorContext } from './mirrors.ts';
import { publicAddress } from './public-repository.ts';
import { fixOf, lintPublic } from './public.ts';
import { lintContacts } from './trust.ts';

/** What `lint` was told to look at beyond this machine, and how. */
export interface Outside {
  /** Absent: mirrors are not asked. */
  readonly network: MirrorContext | undefined;
  /** The plan in DIR/sealed, when there is one. */
  readonly sealed: Plan | undefined;
  /** Commits of each branch of a public repository. */
  readonly depth: number;
  /** What `roster export` wrote. */
  readonly roster: Uint8Array | undefined;
  progress(text: string): void;
}

/**
 * What can only be found out elsewhere: on mirrors, in public repositories, in the roster. `seal` does
 * without, so that it needs no network.
 */
export async function lintOutside(
  { campaign, snapshot }: LintResult,
  directory: CampaignDirectory,
  facts: LintFacts,
  outside: Outside,
): Promise<readonly Finding[]> {
  if (campaign === undefined) return [];
  const findings: Finding[] = [];
  const mirrors = campaign.mirrors ?? [];
  if (outside.network !== undefined) {
    findings.push(...(await lintMirrors(mirrors, outside.sealed, outside.network)));
  } else if (mirrors.length > 0) {
    const message = 'were not asked';
    findings.push(warning('campaign.json.mirrors', message, 'lint once more without --offline'));
  }
  if (facts.publicRepositories.length === 0) {
    const message = 'was not given, so nobody looked whether the fix is public already';
    const advice = 'give the repositories of the clients: --public-repo https://…';
    findings.push(warning('--public-repo', message, advice));
  }
  const fix = fixOf(campaign, directory, textOf(directory, 'disclosure.md'));
  for (const source of facts.publicRepositories) {
    if (outside.network === undefined && publicAddress(source) !== undefined) {
      const advice = 'lint once more without --offline, or name a clone';
      findings.push(warning(`--public-repo ${source}`, 'was not asked', advice));
      continue;
    }
    outside.progress(`looking for the fix in ${source}`);
    findings.push(...(await lintPublic(source, outside.depth, fix, facts)));
  }
  outside.progress('looking at the keys of operators');
  return [...findings, ...(await lintRoster(campaign, snapshot, facts, outside.roster))];
}

/** Whether those who have enrolled can read what is written to them, until it is over. */
async function lintRoster(
  times: Parameters<typeof lintContacts>[0],
  snapshotBytes: Uint8Array | undefined,
  { root, now }: LintFacts,
  bytes: Uint8Array | undefined,
): Promise<readonly Finding[]> {
  if (bytes === undefined) {
    const message = 'was not given, so the OpenPGP keys of operators were not looked at';
    return [warning('--roster', message, 'sealdrop roster export --out FILE, then --roster FILE')];
  }
  if (root === undefined) return []; // said already: nothing can be verified
  try {
    const { network, origin, operators } = parseRosterFile(bytes);
    if (network !== root.network || origin !== root.origin) {
      return [error('--roster', 'is of another network or service', 'export it from this one')];
    }
    const roster = await verifyRoster(operators, root, now);
    const snapshot = snapshotBytes && parsed(snapshotBytes);
    const rows = roster.operators
      .map((entry) => ({ entry, stake: snapshot ? stakeOf(entry, snapshot) : 0n }))
      .sort((a, b) => (a.stake < b.stake ? 1 : a.stake > b.stake ? -1 : 0))
      .map(({ entry: { entry, contact }, stake }) => ({
        email: entry.email,
        openpgp: 'openpgp' in contact ? contact.openpgp : '',
        percent: percent(stake, snapshot?.total ?? 0n),
      }));
    const rejected = roster.rejected.map(({ email, reason }) => {
      const message = `the enrolment of ${email} does not verify: ${reason}`;
      return warning('roster', message, 'ask who it is, and for a new one');
    });
    return [...rejected, ...(await lintContacts(times, rows, now))];
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    return [error('--roster', cause.message, 'export it anew: sealdrop roster export')];
  }
}

/** The snapshot, or nothing where it is none: another rule has said so. */
function parsed(bytes: Uint8Array): StakeSnapshot | undefined {
  try {
    return parseSnapshot(bytes);
  } catch (cause) {
    if (cause instanceof ProtocolError) return undefined;
    throw cause;
  }
}
