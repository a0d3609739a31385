import { argument, type Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { openHome } from '../home/home.ts';
import { readCampaignDirectory } from '../officer/campaign-dir.ts';
import { lintCampaign } from '../officer/lint.ts';
import { lintFacts, REPO_OPTION, tellFindings } from '../officer/lint-facts.ts';

export const lintCommand: Command = {
  name: 'lint',
  group: 'officer',
  summary: 'Say everything that is wrong with a campaign directory before it is sealed',
  args: [{ name: 'dir', description: 'campaign directory' }],
  options: [REPO_OPTION],
  example: 'sealdrop lint ./next --repo agave=../agave',

  async run(input, context) {
    const directory = await readCampaignDirectory(argument(input, 0));
    const facts = await lintFacts(input, context, openHome(context));
    const { findings } = await lintCampaign(directory, facts);
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
