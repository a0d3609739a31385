import { ProtocolError } from '../../protocol/errors.ts';
import { argument, hasFlag, type Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { warnOfBreakGlass } from '../officer/break-glass.ts';
import { confirm } from '../officer/confirm.ts';
import { checkMove } from '../officer/decisions/approval.ts';
import { completeMove, needsDraft, tellCompletion } from '../officer/decisions/completion.ts';
import { signAndComplete } from '../officer/decisions/signing.ts';
import { describeStanding } from '../officer/describe.ts';
import { fetchReceipts } from '../officer/receipts.ts';
import { describeDraft } from '../officer/sealing/describe-draft.ts';
import { DRAFT_OPTION, findDraft } from '../officer/sealing/draft-option.ts';
import { openOfficerSession } from '../officer/session.ts';
import { loadStanding } from '../officer/standing.ts';

export const approveCommand: Command = {
  name: 'approve',
  group: 'officer',
  summary: 'Verify what is pending on this machine, then add your signature',
  args: [{ name: 'id', description: 'campaign id' }],
  options: [DRAFT_OPTION, { flag: '--yes', description: 'sign without being asked' }],
  example: 'sealdrop approve SDX-2026-7KQ4 --draft bo.draft.age',

  async run(input, context) {
    const id = argument(input, 0);
    const session = await openOfficerSession(context);
    const standing = await loadStanding(session, id);
    warnOfBreakGlass(session, standing);
    await fetchReceipts(session, standing);
    const { pending } = standing;
    const draft = await findDraft(input, session, pending?.revised ?? standing);

    if (pending === undefined) {
      // The move may have completed while what follows from it was interrupted.
      const last = standing.directives.at(-1);
      const canResume = last !== undefined && last.action !== 'arm';
      if (!canResume || (draft === undefined && needsDraft(last.action))) {
        throw new CliError(`nothing is pending for ${id}`, `see: sealdrop inspect ${id}`);
      }
      const completion = await completeMove(session, standing, last.action, draft);
      tellCompletion(session, completion);
      context.out.summary({ campaign: id, action: last.action, completed: true, completion });
      return;
    }
    const { directive, envelope, people, problem } = pending;
    const { action } = directive;
    if (problem !== undefined) throw new ProtocolError('transition_refused', problem);
    if (people.includes(session.keys.id)) {
      context.out.line(`you have signed this ${action}; it has ${people.join(', ')}`);
      context.out.summary({ campaign: id, action, completed: false, signed: people });
      return;
    }

    const { revised } = pending;
    const subject = { action, override: directive.override === true, pending, revised };
    const { checked, companions } = await checkMove(session, standing, subject, draft);
    for (const line of describeStanding(session, standing)) context.out.line(line);
    if ((action === 'commit' || action === 'supersede') && draft !== undefined) {
      const { plan } = revised ?? standing;
      for (const line of describeDraft(draft, plan)) context.out.line(line);
      context.out.note('to read the artifacts: age -d -i YOUR-KEY DRAFT | tar -x');
    }
    for (const sentence of checked) context.out.line(`checked           ${sentence}`);
    if (!hasFlag(input, 'yes')) await confirm(context, action, id);
    const result = await signAndComplete(
      session,
      envelope.payload,
      { campaign: id, action },
      companions,
      draft,
    );
    context.out.summary({ ...result, digest: pending.digest, checked });
  },
};
