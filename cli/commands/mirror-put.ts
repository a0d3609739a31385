import { argument, listOption, type Command } from '../command.ts';
import { CliError, UsageError } from '../errors.ts';
import { openMirrors } from '../client/mirror.ts';
import { reasonOf } from '../client/trouble.ts';
import { verifyStoredSignatures } from '../officer/decisions/completion.ts';
import { DRAFT_OPTION, findDraft } from '../officer/sealing/draft-option.ts';
import { bringBundles, type BroughtBundles } from '../officer/mirror-bundles.ts';
import { bringDecisions, bringSignatures } from '../officer/mirroring.ts';
import { openOfficerSession } from '../officer/session.ts';
import { loadStanding } from '../officer/standing.ts';

export const mirrorPutCommand: Command = {
  name: 'mirror put',
  group: 'officer',
  summary: 'Bring to mirrors what operators need when the server is gone: ciphertext only',
  args: [{ name: 'id', description: 'campaign id' }],
  options: [
    {
      ...DRAFT_OPTION,
      description: 'your draft: the signatures over the files are verified and brought too',
    },
    {
      flag: '--mirror <target>',
      description: 'folder or https address to bring it to besides the plan’s mirrors',
      many: true,
    },
  ],
  example: 'sealdrop mirror put SDX-2026-7KQ4 --draft ada.draft.age',

  async run(input, context) {
    const id = argument(input, 0);
    const session = await openOfficerSession(context);
    const standing = await loadStanding(session, id);
    const { plan, directives } = standing;
    if (directives.length === 0) {
      throw new CliError(`${id} is not committed to yet`, 'its plan may still be another one');
    }
    const given = listOption(input, 'mirror');
    const mirrors = openMirrors(context, given, plan);
    if (mirrors.length === 0) {
      throw new UsageError(`the plan of ${id} names no mirrors`, 'give --mirror TARGET');
    }
    const draft = await findDraft(input, session, standing);

    const brought: BroughtBundles[] = [];
    const troubles: string[] = [];
    for (const mirror of mirrors) {
      try {
        const { there, put } = await bringBundles(session, plan, mirror);
        context.out.line(
          `${mirror.name} has ${there + put} of ${there + put} ciphertexts, ${put} of them new`,
        );
        brought.push({ mirror: mirror.name, there, put });
      } catch (error) {
        // One that is dead keeps nothing from the others.
        context.out.warn(`${mirror.name}: ${reasonOf(error)}`);
        troubles.push(mirror.name);
      }
    }
    const decisions = await bringDecisions(session, standing, given);
    for (const name of decisions) context.out.line(`${name} has what was decided`);
    const signatures =
      draft === undefined
        ? []
        : await bringSignatures(
            session,
            standing,
            await verifyStoredSignatures(session, standing, draft),
            given,
          );
    for (const name of signatures) context.out.line(`${name} has the signatures over the files`);
    if (draft === undefined)
      context.out.note('the signatures over the files go there with --draft');
    context.out.summary({ campaign: id, bundles: brought, decisions, signatures });
    if (troubles.length > 0) {
      throw new CliError(
        `not everything is at ${troubles.join(', ')}`,
        'the warnings above say what; repeat the command',
      );
    }
  },
};
