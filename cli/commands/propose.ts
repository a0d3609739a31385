import { checkPlan } from '../../protocol/plan/rules.ts';
import { warnOfServerCustody } from '../client/server-custody.ts';
import { argument, type Command } from '../command.ts';
import { CliError, UsageError } from '../errors.ts';
import { checkMove } from '../officer/decisions/approval.ts';
import { completeMove, tellCompletion } from '../officer/decisions/completion.ts';
import { openOwnDraft } from '../officer/sealing/drafts.ts';
import { describeMove } from '../officer/decisions/move.ts';
import { readDraftFor, readSealed } from '../officer/sealing/sealed-dir.ts';
import { fetchReceipts } from '../officer/receipts.ts';
import { openOfficerSession } from '../officer/session.ts';
import { signAndComplete } from '../officer/decisions/signing.ts';
import { loadStanding } from '../officer/standing.ts';
import { uploadCampaign } from '../officer/sealing/upload.ts';

export const proposeCommand: Command = {
  name: 'propose',
  group: 'officer',
  summary: 'Upload a sealed campaign, ciphertext only, and propose to commit to it',
  args: [{ name: 'dir', description: 'sealed campaign directory' }],
  example: 'sealdrop propose ./next',

  async run(input, context) {
    const path = argument(input, 0);
    const sealed = await readSealed(path);
    const { plan, planBytes } = sealed;
    if (plan.revision !== 1) {
      throw new UsageError(
        `${path} is revision ${plan.revision} of ${plan.campaign}`,
        `run: sealdrop supersede ${plan.campaign} --revision ${path} --reason TEXT, or commit`,
      );
    }
    warnOfServerCustody(context.out, plan);
    const session = await openOfficerSession(context);
    checkPlan(plan, session.trust.root);
    const ciphertext = await readDraftFor(path, session.keys.id);
    const draft = await openOwnDraft(session, ciphertext, plan, planBytes);

    await uploadCampaign(session, path, sealed);
    const standing = await loadStanding(session, plan.campaign);
    await fetchReceipts(session, standing);
    if (standing.state.plan !== sealed.planDigest) {
      throw new CliError(
        `the server has another plan under ${plan.campaign}`,
        'seal under another campaign id',
      );
    }
    if (standing.directives.length > 0) {
      const completion = await completeMove(session, standing, 'commit', draft);
      context.out.line(`${plan.campaign} is committed to already`);
      tellCompletion(session, completion);
      context.out.summary({ campaign: plan.campaign, completed: true, completion });
      return;
    }
    const { pending } = standing;
    if (pending?.directive.action === 'commit' && pending.problem === undefined) {
      const { people, digest } = pending;
      if (!people.includes(session.keys.id)) {
        throw new CliError(
          `${people.join(', ')} proposed to commit to ${plan.campaign} already`,
          `run: sealdrop approve ${plan.campaign} --draft FILE`,
        );
      }
      context.out.line(`proposed already, signed by ${people.join(', ')}`);
      context.out.summary({ campaign: plan.campaign, completed: false, signed: people, digest });
      return;
    }
    const move = { action: 'commit' } as const;
    const payload = describeMove(session, standing, move);
    const { checked, companions } = await checkMove(
      session,
      standing,
      { action: 'commit', override: false },
      draft,
    );
    for (const sentence of checked) context.out.note(`checked: ${sentence}`);
    const subject = { campaign: plan.campaign, action: 'commit' } as const;
    const result = await signAndComplete(session, payload, subject, companions, draft);
    context.out.line(`commitment ${plan.commitment}, T0 ${plan.releaseTime}`);
    context.out.summary({ ...result, commitment: plan.commitment, checked });
  },
};
