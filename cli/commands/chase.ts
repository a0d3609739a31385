import { argument, type Command } from '../command.ts';
import type { ContactEntry } from '../client/client.ts';
import { percent } from '../officer/amounts.ts';
import { loadProgress, missingStake } from '../officer/progress.ts';
import { loadRoster, tellRejected } from '../officer/roster.ts';
import { openOfficerSession } from '../officer/session.ts';
import type { CampaignStatus } from '../../protocol/campaign/transitions.ts';

const isOut = (status: CampaignStatus): boolean => status === 'released' || status === 'adopted';

/** Who needs no call: before T0 who is ready, afterwards who has attested. */
function isDone(state: ContactEntry['state'], status: CampaignStatus): boolean {
  return state === 'attested' || (!isOut(status) && state === 'ready');
}

export const chaseCommand: Command = {
  name: 'chase',
  group: 'officer',
  summary: 'List whom to call next: operators still missing, most stake first',
  args: [{ name: 'id', description: 'campaign id' }],
  example: 'sealdrop chase SDX-2026-7KQ4',

  async run(input, context) {
    const id = argument(input, 0);
    const session = await openOfficerSession(context);
    const { standing, tally } = await loadProgress(session, id);
    const { plan, state } = standing;
    const roster = await loadRoster(session);
    tellRejected(session, roster);
    const emails = new Map(
      roster.operators.map(({ operator, entry }) => [operator as string, entry.email]),
    );
    const contacts = await session.client.contacts(id);
    const total = BigInt(tally?.totalStake ?? '0');
    const missing = contacts
      .filter((contact) => !isDone(contact.state, state.status))
      .map((contact) => ({ ...contact, stake: BigInt(contact.stake) }))
      .sort((a, b) => (a.stake < b.stake ? 1 : a.stake > b.stake ? -1 : 0));

    // Before T0 whoever is ready counts as won; afterwards only what was attested does.
    const won = isOut(state.status)
      ? BigInt(tally?.attestedStake ?? '0')
      : contacts
          .filter((contact) => isDone(contact.state, state.status))
          .reduce((sum, { stake }) => sum + BigInt(stake), 0n);
    const needed = missingStake(plan, won, total);
    let reached = 0n;
    let calls = 0;
    for (const { operator, stake, delivery, state: said, validators } of missing) {
      if (reached < needed) calls += 1;
      reached += stake;
      const email = emails.get(operator) ?? operator;
      const how = `${said}${delivery === null ? '' : `, mail ${delivery}`}`;
      context.out.line(`${percent(stake, total).padStart(8)}  ${email}  ${how}`);
      context.out.event('contact', { operator, email, stake, state: said, delivery, validators });
    }
    if (missing.length === 0) context.out.line('nobody is missing');
    if (needed > 0n && total > 0n) {
      context.out.line(
        reached >= needed
          ? `the first ${calls} of them would reach the gate`
          : 'the gate is out of reach: too much stake is with nobody who is enrolled',
      );
    }
    context.out.summary({ campaign: id, missing: missing.length, needed, calls });
  },
};
