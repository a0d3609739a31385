import type { Action, CampaignStatus } from '../../protocol/campaign/transitions.ts';
import type { Command, OptionSpec } from '../command.ts';
import { takeMove } from '../officer/decisions/decision.ts';
import type { Move } from '../officer/decisions/move.ts';
import { REVISION_OPTION } from '../officer/decisions/next-revision.ts';
import { DRAFT_OPTION } from '../officer/sealing/draft-option.ts';
import type { Standing } from '../officer/standing.ts';

const REASON: OptionSpec = {
  flag: '--reason <text>',
  description: 'why, in one line; part of what is signed',
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

    run: (input, context) => takeMove(input, context, action, isDone),
  };
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

export const commitCommand = moveCommand({
  action: 'commit',
  summary: 'Propose to commit in public to an uploaded campaign, or to its next revision',
  example: 'sealdrop commit SDX-2026-7KQ4 --revision ./next2 --reason "older versions, too"',
  options: [DRAFT_OPTION, REVISION_OPTION, REASON],
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
    REVISION_OPTION,
    REASON,
    DRAFT_OPTION,
    { flag: '--now', description: 'release it at once, instead of at the T0 of its plan' },
  ],
  isDone: wasLast('supersede'),
});
