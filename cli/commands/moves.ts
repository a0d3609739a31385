import type { Action, CampaignStatus } from '../../protocol/campaign/transitions.ts';
import { checkPlan, type Plan } from '../../protocol/campaign/plan.ts';
import type { Draft } from '../../protocol/embargo/draft.ts';
import { time } from '../../protocol/encoding/shape.ts';
import {
  argument,
  findOption,
  hasFlag,
  type Command,
  type Input,
  type OptionSpec,
} from '../command.ts';
import { CliError, UsageError } from '../errors.ts';
import { checkMove, refuseEarlyDisclosure } from '../officer/approval.ts';
import { warnOfBreakGlass } from '../officer/break-glass.ts';
import { completeMove, needsDraft, tellCompletion } from '../officer/completion.ts';
import { openOwnDraft } from '../officer/drafts.ts';
import { DRAFT_OPTION, findDraft } from '../officer/draft-option.ts';
import { describeMove, type Move } from '../officer/move.ts';
import { readDraftFor, readSealed } from '../officer/sealed-dir.ts';
import { fetchReceipts } from '../officer/receipts.ts';
import { openOfficerSession, type OfficerSession } from '../officer/session.ts';
import { signAndComplete } from '../officer/signing.ts';
import { loadStanding, type Standing } from '../officer/standing.ts';
import { uploadCampaign } from '../officer/upload.ts';

const REASON: OptionSpec = {
  flag: '--reason <text>',
  description: 'why, in one line; part of what is signed',
};

const REVISION: OptionSpec = {
  flag: '--revision <dir>',
  description: 'directory in which the next revision is sealed (seal DIR --after DRAFT)',
};

const ANEW: OptionSpec = {
  flag: '--anew',
  description: 'propose your own, whatever is pending: each officer may have one proposal',
};

interface MoveSpec {
  readonly action: Action;
  readonly summary: string;
  readonly example: string;
  readonly options?: readonly OptionSpec[];
  /** Whether the move is done, so that only what follows from it may be missing. */
  readonly isDone?: (standing: Standing, move: Move) => boolean;
}

/** One command for each decision: it proposes, or takes up what an interruption left undone. */
function moveCommand({
  action,
  summary,
  example,
  options = [],
  isDone = () => false,
}: MoveSpec): Command {
  return {
    name: action,
    group: 'officer',
    summary,
    args: [{ name: 'id', description: 'campaign id' }],
    options: [...options, ANEW],
    example,

    async run(input, context) {
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
    },
  };
}

/**
 * The next revision, sealed in the folder that was named; uploaded, and our draft of it opened. Of the
 * one that is in force already, only the draft.
 */
async function findRevision(
  input: Input,
  session: OfficerSession,
  standing: Standing,
  action: Action,
): Promise<{ move?: Pick<Move, 'revised' | 'to'>; draft: Draft } | undefined> {
  const path = findOption(input, 'revision');
  if (path === undefined) return undefined;
  const sealed = await readSealed(path);
  const { plan, planBytes } = sealed;
  if (plan.campaign !== standing.plan.campaign) {
    throw new UsageError(`${path} is of another campaign, ${plan.campaign}`);
  }
  checkPlan(plan, session.trust.root);
  const ciphertext = await readDraftFor(path, session.keys.id);
  const draft = await openOwnDraft(session, ciphertext, plan, planBytes);
  if (sealed.planDigest === standing.state.plan) return { draft };
  refuseUnlikely(input, path, plan, standing, action);
  await uploadCampaign(session, path, sealed, standing.plan);
  const to = hasFlag(input, 'now') ? ({ to: 'released' } as const) : {};
  return { move: { revised: { plan, planBytes }, ...to }, draft };
}

/** Before anything is uploaded: what would be refused afterwards, said so that it can be helped. */
function refuseUnlikely(
  input: Input,
  path: string,
  plan: Plan,
  { plan: before, state: { status } }: Standing,
  action: Action,
): void {
  if (plan.revision !== before.revision + 1) {
    throw new UsageError(
      `${path} is revision ${plan.revision}; ${before.revision + 1} is next`,
      `seal it after the draft of revision ${before.revision}: seal DIR --after DRAFT`,
    );
  }
  const isArmed = status === 'armed' || status === 'released';
  if (action === 'commit' && isArmed && plan.releaseRecipient !== before.releaseRecipient) {
    throw new UsageError(
      `${path} is another patch, and the campaign is ${status}: a commit brings another disclosure only`,
      'seal it with --wording; another patch takes supersede, once the first one is released',
    );
  }
  if ((findOption(input, 'reason') ?? '').trim() === '') {
    throw new UsageError('a revision needs a reason', 'give --reason TEXT');
  }
}

/** Whether the last thing decided was this. */
const wasLast =
  (action: Action) =>
  ({ directives }: Standing): boolean =>
    directives.at(-1)?.action === action;

/** The same once more under a newer root is no repetition: it confirms what was decided. */
const isRescheduled = ({ directives, roots }: Standing, { releaseTime }: Move): boolean => {
  const last = directives.at(-1);
  return (
    last?.action === 'reschedule' &&
    last.releaseTime === releaseTime &&
    last.rootVersion === roots.at(-1)?.version
  );
};

const isIn =
  (...statuses: CampaignStatus[]) =>
  ({ state }: Standing): boolean =>
    statuses.includes(state.status);

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

export const commitCommand = moveCommand({
  action: 'commit',
  summary: 'Propose to commit in public to an uploaded campaign, or to its next revision',
  example: 'sealdrop commit SDX-2026-7KQ4 --revision ./next2 --reason "older versions, too"',
  options: [DRAFT_OPTION, REVISION, REASON],
  isDone: ({ state }) => state.status !== 'draft',
});

export const notifyCommand = moveCommand({
  action: 'notify',
  summary: 'Propose to tell operators; once decided, write the mails that are missing',
  example: 'sealdrop notify SDX-2026-7KQ4 --draft ada.draft.age',
  options: [DRAFT_OPTION],
  isDone: wasLast('notify'),
});

export const armCommand = moveCommand({
  action: 'arm',
  summary: 'Propose to arm: from then on the agents publish their shares at T0',
  example: 'sealdrop arm SDX-2026-7KQ4 --draft ada.draft.age',
  options: [DRAFT_OPTION],
});

export const rescheduleCommand = moveCommand({
  action: 'reschedule',
  summary: 'Propose another T0 for an armed campaign',
  example:
    'sealdrop reschedule SDX-2026-7KQ4 --release-time 2026-11-20T16:00:00Z --reason "build broken"',
  options: [
    { flag: '--release-time <time>', description: 'the new T0, UTC', required: true },
    { ...REASON, required: true },
  ],
  isDone: isRescheduled,
});

export const abortCommand = moveCommand({
  action: 'abort',
  summary: 'Propose to stop before T0; your own agent stops at once',
  example: 'sealdrop abort SDX-2026-7KQ4 --reason "fix is incomplete"',
  options: [{ ...REASON, required: true }],
  isDone: wasLast('abort'),
});

export const withdrawCommand = moveCommand({
  action: 'withdraw',
  summary: 'Propose to withdraw a released patch that does harm',
  example: 'sealdrop withdraw SDX-2026-7KQ4 --reason "patched nodes halt"',
  options: [{ ...REASON, required: true }],
  isDone: wasLast('withdraw'),
});

/** With words of one's own; `leaked.ts` has the ways with signatures given ahead. */
export const proposeLeaked = moveCommand({
  action: 'leaked',
  summary: 'Release and disclose at once, because the embargo is broken',
  example: 'sealdrop leaked SDX-2026-7KQ4 --reason "the diff is on a public mirror"',
  options: [REASON, DRAFT_OPTION],
  isDone: wasLast('leaked'),
});

export const discloseCommand = moveCommand({
  action: 'disclose',
  summary: 'Propose to publish the disclosure; once decided, write the closing mails',
  example: 'sealdrop disclose SDX-2026-7KQ4 --draft ada.draft.age',
  options: [
    DRAFT_OPTION,
    { flag: '--override', description: 'before the gate is reached; needs a reason' },
    REASON,
  ],
  isDone: isIn('disclosed'),
});

export const supersedeCommand = moveCommand({
  action: 'supersede',
  summary: 'Propose another patch in the place of a released one: the next revision',
  example: 'sealdrop supersede SDX-2026-7KQ4 --revision ./next2 --reason "a sibling bug"',
  options: [
    REVISION,
    REASON,
    DRAFT_OPTION,
    { flag: '--now', description: 'release it at once, instead of at the T0 of its plan' },
  ],
  isDone: wasLast('supersede'),
});
