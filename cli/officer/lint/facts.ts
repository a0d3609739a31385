import type { TrustRoot } from '../../../protocol/trust/root.ts';
import { findTargetsExpiry } from '../../client/targets.ts';
import { loadTrust } from '../../client/trust.ts';
import { listOption, type Context, type Input, type OptionSpec } from '../../command.ts';
import { UsageError } from '../../errors.ts';
import type { Home } from '../../home/home.ts';
import type { Finding } from '../campaign/finding.ts';
import { findKeptSnapshot } from '../kept-snapshots.ts';
import { loadHolidays } from './holidays.ts';
import type { LintFacts } from './lint.ts';
import { publicAddress } from './public-repository.ts';

export const REPO_OPTION: OptionSpec = {
  flag: '--repo <variant=path>',
  description: 'clone to try the patches of a variant on; only read',
  many: true,
};

/** What this machine knows that linting a campaign needs. */
export async function lintFacts(
  input: Input,
  context: Context,
  home: Home,
): Promise<LintFacts & { readonly root: TrustRoot | undefined }> {
  const isTrusting = (await home.findConfig()) !== undefined;
  const root = isTrusting ? (await loadTrust(home)).root : undefined;
  const publicRepositories = listOption(input, 'publicRepo');
  for (const source of publicRepositories) publicAddress(source);
  return {
    now: context.now(),
    env: context.env,
    signal: context.signal,
    root,
    targetsExpire: root && (await findTargetsExpiry(home, root)),
    repositories: parseRepositories(listOption(input, 'repo')),
    publicRepositories,
    holidays: await loadHolidays(),
    findSnapshot: (digest) => findKeptSnapshot(home, digest),
  };
}

function parseRepositories(options: readonly string[]): ReadonlyMap<string, string> {
  const repositories = new Map<string, string>();
  for (const option of options) {
    const [, variant, path] = /^([a-z0-9][a-z0-9-]{0,31})=(.+)$/.exec(option) ?? [];
    if (variant === undefined || path === undefined) {
      throw new UsageError(`"${option}" is not <variant>=<path>`, 'for example agave=../agave');
    }
    if (repositories.has(variant)) throw new UsageError(`two clones for ${variant}`);
    repositories.set(variant, path);
  }
  return repositories;
}

/** Say every finding with its way out, errors first. */
export function tellFindings(context: Context, findings: readonly Finding[]): void {
  const bySeverity = (severity: Finding['severity']): readonly Finding[] =>
    findings.filter((finding) => finding.severity === severity);
  for (const finding of [...bySeverity('error'), ...bySeverity('warning')]) {
    context.out.line(`${finding.severity}: ${finding.where} ${finding.message}`);
    context.out.line(`  ${finding.advice}`);
    context.out.event('finding', finding);
  }
}
