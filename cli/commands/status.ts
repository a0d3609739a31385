import { parseTime } from '../../protocol/encoding/time.ts';
import { isOverdue, overdueError, overdueText, type Overdue } from '../client/overdue.ts';
import { argument, hasFlag, type Command } from '../command.ts';
import { isTemporary } from '../client/trouble.ts';
import { warnOfBreakGlass } from '../officer/break-glass.ts';
import { countdown } from '../officer/amounts.ts';
import {
  loadProgress,
  progressLines,
  progressSummary,
  type Progress,
} from '../officer/progress.ts';
import { loadPresigned, presignedSummary, presignedTexts } from '../officer/decisions/presigned.ts';
import { remindOfPresigned } from '../officer/decisions/presigned-reminders.ts';
import { openOfficerSession } from '../officer/session.ts';

const WATCH_MS = 2_000;

export const statusCommand: Command = {
  name: 'status',
  group: 'officer',
  summary: 'Show how far a campaign has come: T0, shares, mails, adoption',
  args: [{ name: 'id', description: 'campaign id' }],
  options: [{ flag: '--watch', description: 'say every change until it is disclosed and opened' }],
  example: 'sealdrop status SDX-2026-7KQ4 --watch',

  async run(input, context) {
    const id = argument(input, 0);
    const session = await openOfficerSession(context);
    const isWatching = hasFlag(input, 'watch');
    let shown = '';
    let alarmed = '';
    for (;;) {
      try {
        const progress = await loadProgress(session, id);
        const { state, view } = progress.standing;
        const now = context.now();
        const presigned = await loadPresigned(session, progress.standing);
        const facts = { ...progressSummary(progress), presigned: presignedSummary(presigned) };
        const current = JSON.stringify(facts);
        if (current !== shown) {
          warnOfBreakGlass(session, progress.standing);
          remindOfPresigned(session, progress.standing, presigned);
          for (const line of progressLines(progress, now)) context.out.line(line);
          for (const text of presignedTexts(session, presigned)) {
            context.out.line(`presigned  ${text}`);
          }
          if (isWatching) context.out.event('status', facts);
        }
        shown = current;
        const overdue = overdueOf(progress, now);
        if (!isWatching || view.opened) {
          context.out.summary({ ...facts, overdue: overdue ?? null });
          if (overdue !== undefined) throw overdueError([overdue]);
          return;
        }
        if (overdue !== undefined && alarmed !== overdue.reason) {
          context.out.warn(overdueText(overdue));
          alarmed = overdue.reason;
        }
        context.out.progress(`${id}  ${countdown(parseTime(state.releaseTime) - now)}`);
      } catch (error) {
        if (!isWatching || !isTemporary(error)) throw error;
        context.out.note(error instanceof Error ? error.message : 'trouble');
      }
      await context.sleep(WATCH_MS);
    }
  },
};

/** Armed by directives that we verified, and T0 past by our own clock, but too few shares out. */
function overdueOf({ standing: { state, view } }: Progress, now: number): Overdue | undefined {
  const { campaign, releaseTime, status } = state;
  if (status !== 'armed' || !isOverdue(releaseTime, now)) return undefined;
  const { published, threshold } = view.shares;
  const reason = `the server shows ${published.length} of the ${threshold} shares it takes`;
  return { campaign, releaseTime, reason };
}
