import { planDigest } from '../../protocol/campaign/plan.ts';
import { argument, type Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { openHome } from '../home/home.ts';
import { loadTrust } from '../client/trust.ts';
import { readCampaignDirectory } from '../officer/campaign-dir.ts';
import { lintCampaign } from '../officer/lint.ts';
import { lintFacts, REPO_OPTION, tellFindings } from '../officer/lint-facts.ts';
import { refuseSealed, sealedPath, writeSealed } from '../officer/sealed-dir.ts';
import { sealCampaign } from '../officer/sealing.ts';

export const sealCommand: Command = {
  name: 'seal',
  group: 'officer',
  summary: 'Make keys, shares, ciphertext and plan of a campaign, in DIR/sealed',
  args: [{ name: 'dir', description: 'campaign directory that lints without errors' }],
  options: [REPO_OPTION],
  example: 'sealdrop seal ./next --repo agave=../agave',

  async run(input, context) {
    const home = openHome(context);
    const path = argument(input, 0);
    await refuseSealed(path);
    const { root } = await loadTrust(home);
    const directory = await readCampaignDirectory(path);
    const facts = await lintFacts(input, context, home);
    const { findings, linted } = await lintCampaign(directory, facts);
    tellFindings(context, findings);
    if (linted === undefined) {
      throw new CliError('the campaign has errors, so nothing was sealed', `sealdrop lint ${path}`);
    }

    context.out.progress('sealing and checking');
    const sealed = await sealCampaign(linted, root, (length) => context.randomBytes(length));
    await writeSealed(path, sealed, root);

    const { campaign, commitment, releaseTime, latestDisclosure } = sealed.plan;
    const officers = [...root.people.keys()].sort();
    context.out.line(`campaign          ${campaign}`);
    context.out.line(`commitment        ${commitment}`);
    context.out.line(`T0                ${releaseTime}`);
    context.out.line(`latest disclosure ${latestDisclosure}`);
    context.out.line(`keys              ${root.shareThreshold} of ${officers.length} officers`);
    context.out.note(
      `next: hand each officer their draft (sealdrop handover ${path} --to OFFICER),`,
    );
    context.out.note(`then sealdrop propose ${path}. Delete the plaintext when it is committed.`);
    context.out.summary({
      campaign,
      commitment,
      plan: planDigest(sealed.planBytes),
      releaseTime,
      latestDisclosure,
      sealed: sealedPath(path),
      officers,
      bundles: sealed.plan.bundles,
    });
  },
};
