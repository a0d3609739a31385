import { parsePlan, planDigest } from '../../protocol/plan/plan.ts';
import { verifyDocuments } from '../../protocol/embargo/closing-bundle.ts';
import { openDraft, type Draft } from '../../protocol/embargo/draft.ts';
import { argument, findOption, hasFlag, type Command, type Input } from '../command.ts';
import { CliError, UsageError } from '../errors.ts';
import { readInputFile } from '../home/files.ts';
import { openHome, type Home } from '../home/home.ts';
import { warnOfServerCustody } from '../client/server-custody.ts';
import { loadTrust } from '../client/trust.ts';
import { readCampaignDirectory } from '../officer/campaign/campaign-dir.ts';
import { lintCampaign } from '../officer/lint/lint.ts';
import { lintFacts, REPO_OPTION, tellFindings } from '../officer/lint/facts.ts';
import {
  MAX_DRAFT_BYTES,
  refuseSealed,
  sealedPath,
  writeSealed,
} from '../officer/sealing/sealed-dir.ts';
import { sealCampaign } from '../officer/sealing/sealing.ts';
import { sealWording } from '../officer/sealing/sealing-wording.ts';

export const sealCommand: Command = {
  name: 'seal',
  group: 'officer',
  summary: 'Make keys, shares, ciphertext and plan of a campaign, in DIR/sealed',
  args: [{ name: 'dir', description: 'campaign directory that lints without errors' }],
  options: [
    REPO_OPTION,
    {
      flag: '--after <draft>',
      description: 'your draft of the revision in force: seal the next one',
    },
    {
      flag: '--wording',
      description:
        'with --after: only disclosure.md is new, as an armed or released campaign allows',
    },
  ],
  example: 'sealdrop seal ./next --repo agave=../agave',

  async run(input, context) {
    const home = openHome(context);
    const path = argument(input, 0);
    const isWording = hasFlag(input, 'wording');
    const isRevision = findOption(input, 'after') !== undefined;
    if (isWording && !isRevision) throw new UsageError('--wording goes with --after DRAFT');
    await refuseSealed(path, isRevision);
    const { root } = await loadTrust(home);
    const directory = await readCampaignDirectory(path);
    const facts = await lintFacts(input, context, home);
    const { findings, linted } = await lintCampaign(directory, facts);
    tellFindings(context, findings);
    if (linted === undefined) {
      throw new CliError('the campaign has errors, so nothing was sealed', `sealdrop lint ${path}`);
    }

    const before = await openBefore(input, home);
    context.out.progress('sealing and checking');
    const random = (length: number): Uint8Array => context.randomBytes(length);
    const sealed =
      before !== undefined && isWording
        ? await sealWording(linted, before, random)
        : await sealCampaign(linted, root, random, before);
    await writeSealed(path, sealed, root);

    warnOfServerCustody(context.out, sealed.plan);
    const { campaign, commitment, releaseTime, latestDisclosure } = sealed.plan;
    const officers = [...root.people.keys()].sort();
    context.out.line(`campaign          ${campaign}`);
    context.out.line(`revision          ${sealed.plan.revision}`);
    context.out.line(`commitment        ${commitment}`);
    context.out.line(`T0                ${releaseTime}`);
    context.out.line(`latest disclosure ${latestDisclosure}`);
    context.out.line(`keys              ${root.shareThreshold} of ${officers.length} officers`);
    context.out.note(
      `next: hand each officer their draft (sealdrop handover ${path} --to OFFICER),`,
    );
    const revision = `${campaign} --revision ${path} --reason TEXT`;
    if (before === undefined) {
      context.out.note(`then sealdrop propose ${path}. Delete the plaintext when it is committed.`);
    } else if (isWording) {
      context.out.note(`then sealdrop commit ${revision}`);
    } else {
      context.out.note(`then, before it is armed: sealdrop commit ${revision}`);
      context.out.note(`once it is released: sealdrop supersede ${revision}`);
    }
    context.out.summary({
      campaign,
      commitment,
      revision: sealed.plan.revision,
      plan: planDigest(sealed.planBytes),
      releaseTime,
      latestDisclosure,
      sealed: sealedPath(path),
      officers,
      bundles: sealed.plan.bundles,
    });
  },
};

/** The draft of the revision in force, opened. Whether it is in force is for the officers to see. */
async function openBefore(input: Input, home: Home): Promise<Draft | undefined> {
  const path = findOption(input, 'after');
  if (path === undefined) return undefined;
  const { ageIdentity } = await home.officerKeys();
  const draft = await openDraft(await readInputFile(path, MAX_DRAFT_BYTES), ageIdentity);
  verifyDocuments(draft.documents, parsePlan(draft.plan));
  return draft;
}
