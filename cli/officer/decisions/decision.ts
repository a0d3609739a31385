import type { Action } from '../../../protocol/campaign/transitions.ts';
import { time } from '../../../protocol/encoding/shape.ts';
import { argument, findOption, hasFlag, type Context, type Input } from '../../command.ts';
import { CliError, UsageError } from '../../errors.ts';
import { warnOfBreakGlass } from '../break-glass.ts';
import { fetchReceipts } from '../receipts.ts';
import { findDraft } from '../sealing/draft-option.ts';
import { openOfficerSession } from '../session.ts';
import { loadStanding, type Standing } from '../standing.ts';
import { checkMove } from './approval.ts';
import { completeMove, needsDraft, tellCompletion } from './completion.ts';
import { refuseEarlyDisclosure } from './disclosure-gate.ts';
import { describeMove, type Move } from './move.ts';
import { findRevision } from './next-revision.ts';
import { signAndComplete } from './signing.ts';

/**
 * Propose a move, or take up what an interruption left undone of one that is decided.
 *
 * @param input - Of a command whose argument is the campaign, with any option of a {@link Move}.
 * @param isDone - Whether the move is done, so that only what follows from it may be missing.
 */
export async function takeMove(
  input: Input,
  context: Context,
  action: Action,
  isDone: (standing: Standing, move: Move) => boolean,
): Promise<void> {
  const id = argument(input, 0);
  const session = await openOfficerSession(context);
  const standing = await loadStanding(session, id);
  await fetchReceipts(session, standing);
  warnOfBreakGlass(session, standing);
  const revision = await findRevision(input, session, standing, action);
  const move = { ...readMove(input, action), ...revision?.move };
  const draft = revision?.draft ?? (await findDraft(input, session, standing));

  if (move.revised === undefined && isDone(standing, move)) {
    if (draft === undefined && needsDraft(action)) {
      throw new UsageError(
        `${action} of ${id} is done; to do what follows from it the draft is needed`,
        `run: sealdrop ${action} ${id} --draft FILE`,
      );
    }
    context.out.note(`${action} of ${id} is done; doing what follows from it`);
    const completion = await completeMove(session, standing, action, draft);
    tellCompletion(session, completion);
    context.out.summary({ campaign: id, action, completed: true, completion });
    return;
  }
  if (revision !== undefined && move.revised === undefined) {
    throw new UsageError('this revision is in force already', `see: sealdrop inspect ${id}`);
  }
  if (action === 'supersede' && revision === undefined) {
    throw new UsageError('supersede by what?', 'give --revision DIR (seal DIR --after DRAFT)');
  }
  const { pending } = standing;
  const isPending = pending?.directive.action === action && pending.problem === undefined;
  if (isPending && !hasFlag(input, 'anew')) {
    refuseSecond(pending.people, session.keys.id, action, id);
  }
  await refuseEarlyDisclosure(session, standing, move);
  const unlike = pending && { unlike: pending.digest };
  const payload = describeMove(session, standing, { ...move, ...unlike });
  const { revised } = move;
  const subject = { action, override: move.override === true, revised };
  const { checked, companions } = await checkMove(session, standing, subject, draft);
  for (const sentence of checked) context.out.note(`checked: ${sentence}`);
  const result = await signAndComplete(
    session,
    payload,
    { campaign: id, action },
    companions,
    draft,
  );
  context.out.summary({ ...result, checked });
}

function refuseSecond(people: readonly string[], self: string, action: Action, id: string): void {
  if (people.includes(self)) {
    throw new CliError(
      `you proposed this ${action} already; it has ${people.join(', ')}`,
      `the others run: sealdrop approve ${id}; to replace yours give --anew`,
    );
  }
  throw new CliError(
    `${people.join(', ')} proposed this ${action} already`,
    `run: sealdrop approve ${id}; to propose another one give --anew`,
  );
}

function readMove(input: Input, action: Action): Move {
  const reason = findOption(input, 'reason');
  const releaseTime = findOption(input, 'releaseTime');
  if (releaseTime !== undefined && !time.safeParse(releaseTime).success) {
    throw new UsageError(`"${releaseTime}" is not a time`, 'one looks like 2026-11-20T14:00:00Z');
  }
  return {
    action,
    ...(reason !== undefined && { reason }),
    ...(releaseTime !== undefined && { releaseTime }),
    ...(hasFlag(input, 'override') && { override: true }),
  };
}
