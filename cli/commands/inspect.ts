import { argument, type Command } from '../command.ts';
import { warnOfBreakGlass } from '../officer/break-glass.ts';
import { describeStanding, standingSummary } from '../officer/describe.ts';
import { loadPresigned, presignedSummary, presignedTexts } from '../officer/decisions/presigned.ts';
import { remindOfPresigned } from '../officer/decisions/presigned-reminders.ts';
import { fetchReceipts } from '../officer/receipts.ts';
import { loadReviews, reviewLines } from '../officer/reviews.ts';
import { openOfficerSession } from '../officer/session.ts';
import { loadStanding } from '../officer/standing.ts';

export const inspectCommand: Command = {
  name: 'inspect',
  group: 'officer',
  summary: 'Show a campaign’s plan, its directives and what is pending, all verified here',
  args: [{ name: 'id', description: 'campaign id' }],
  example: 'sealdrop inspect SDX-2026-7KQ4',

  async run(input, context) {
    const session = await openOfficerSession(context);
    const standing = await loadStanding(session, argument(input, 0));
    await fetchReceipts(session, standing);
    const reviews = await loadReviews(session, standing);
    const presigned = await loadPresigned(session, standing);
    warnOfBreakGlass(session, standing);
    remindOfPresigned(session, standing, presigned);
    for (const line of describeStanding(session, standing)) context.out.line(line);
    for (const line of reviewLines(reviews)) context.out.line(line);
    for (const text of presignedTexts(session, presigned)) {
      context.out.line(`presigned         ${text}`);
    }
    context.out.note(
      'checked here: root, plan, every directive, the signatures of what is pending and of reviews',
    );
    context.out.summary({
      ...standingSummary(standing),
      reviews: reviews ?? null,
      presigned: presignedSummary(presigned),
    });
  },
};
