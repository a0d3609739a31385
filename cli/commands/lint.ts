import { argument, findOption, hasFlag, wholeNumber, type Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { readInputFile } from '../home/files.ts';
import { openHome } from '../home/home.ts';
import { readCampaignDirectory } from '../officer/campaign/campaign-dir.ts';
import { lintCampaign } from '../officer/lint/lint.ts';
import { lintFacts, REPO_OPTION, tellFindings } from '../officer/lint/facts.ts';
import { lintOutside } from '../officer/lint/outside.ts';
import { MAX_ROSTER_BYTES } from '../officer/roster-file.ts';
import { findSealedPlan } from '../officer/sealing/sealed-dir.ts';

export const lintCommand: Command = {
  name: 'lint',
  group: 'officer',
  summary: 'Say everything that is wrong with a campaign directory before it is sealed',
  args: [{ name: 'dir', description: 'campaign directory' }],
  options: [
    REPO_OPTION,
    {
      flag: '--public-repo <source>',
      description: 'https address or clone of what everybody reads: is the fix in it already?',
      many: true,
    },
    {
      flag: '--public-depth <commits>',
      description: 'how many commits of each branch there to look at, 2 to 100000',
      defaultValue: '200',
    },
    {
      flag: '--roster <file>',
      description: 'from roster export: will operators’ OpenPGP keys last?',
    },
    { flag: '--offline', description: 'ask no mirror and no address' },
  ],
  example:
    'sealdrop lint ./next --repo agave=../agave --public-repo https://github.com/anza-xyz/agave',

  async run(input, context) {
    const path = argument(input, 0);
    const depth = wholeNumber(
      findOption(input, 'publicDepth') ?? '200',
      '--public-depth',
      2,
      100_000,
    );
    const rosterPath = findOption(input, 'roster');
    const directory = await readCampaignDirectory(path);
    const facts = await lintFacts(input, context, openHome(context));
    const local = await lintCampaign(directory, facts);
    const outside = await lintOutside(local, directory, facts, {
      network: hasFlag(input, 'offline') ? undefined : context,
      sealed: await findSealedPlan(path),
      depth,
      roster:
        rosterPath === undefined ? undefined : await readInputFile(rosterPath, MAX_ROSTER_BYTES),
      progress: (text) => {
        context.out.progress(text);
      },
    });
    const findings = [...local.findings, ...outside];
    tellFindings(context, findings);
    const errors = findings.filter(({ severity }) => severity === 'error').length;
    const warnings = findings.length - errors;
    if (errors > 0) {
      throw new CliError(
        `${errors} errors, ${warnings} warnings`,
        'mend the errors and lint again',
      );
    }
    context.out.line(warnings === 0 ? 'nothing to say' : `no errors, ${warnings} warnings`);
    context.out.summary({ errors, warnings, findings });
  },
};
