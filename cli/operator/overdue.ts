import { campaignId } from '../../protocol/encoding/shape.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { fetchChain, hasChain, loadChain, type Chain } from '../client/chain.ts';
import type { InboxEntry } from '../client/client.ts';
import { isOverdue, type Overdue } from '../client/overdue.ts';
import { CliError, ProblemError } from '../errors.ts';
import { findReleaseKeyHere } from './release-key.ts';
import type { OperatorSession } from './session.ts';

/** Claims that can be tried out at once: `fetch` verifies them. */
const RELEASED = ['released', 'adopted', 'disclosed'];
/** Ends of a campaign that officers decide on, so that a directive has to say so. */
const ENDED = ['aborted', 'withdrawn', 'disclosed'];

/**
 * Campaigns whose T0 is past while the server shows nothing new: by what was prefetched here, so that
 * the server cannot talk T0 away, and else by its own words.
 */
export async function findOverdue(
  session: OperatorSession,
  entries: readonly InboxEntry[],
): Promise<readonly Overdue[]> {
  const overdue: Overdue[] = [];
  const prefetched = new Set<string>();
  for (const id of await session.home.campaigns()) {
    if (!campaignId.safeParse(id).success) continue;
    const stored = await findStored(session, id);
    if (stored === undefined) continue;
    prefetched.add(id);
    const status = entries.find(({ campaign }) => campaign.campaign === id)?.campaign.status;
    const reason = await reasonFor(session, stored, status);
    if (reason !== undefined) {
      overdue.push({ campaign: id, releaseTime: stored.state.releaseTime, reason });
    }
  }
  for (const { campaign } of entries) {
    const { campaign: id, releaseTime, status } = campaign;
    if (prefetched.has(id) || RELEASED.includes(status) || ENDED.includes(status)) continue;
    if (!isOverdue(releaseTime, session.context.now())) continue;
    overdue.push({ campaign: id, releaseTime, reason: `the server still says ${status}` });
  }
  return overdue;
}

/** What was prefetched and not opened yet. */
async function findStored(session: OperatorSession, id: string): Promise<Chain | undefined> {
  const { home, trust } = session;
  const directory = home.campaign(id);
  if (!(await hasChain(directory))) return undefined;
  const chain = await loadChain(home, trust, directory);
  return (await findReleaseKeyHere(directory, chain.plan)) === undefined ? chain : undefined;
}

/** Why a campaign is overdue; nothing when it is not, or officers decided otherwise. */
async function reasonFor(
  session: OperatorSession,
  stored: Chain,
  status: InboxEntry['campaign']['status'] | undefined,
): Promise<string | undefined> {
  const now = session.context.now();
  if (!isOverdue(stored.state.releaseTime, now)) return undefined;
  if (ENDED.includes(stored.state.status)) return undefined;
  if (status !== undefined && RELEASED.includes(status)) return undefined;
  const { state } = (await findNewer(session, stored)) ?? stored;
  if (ENDED.includes(state.status) || !isOverdue(state.releaseTime, now)) return undefined;
  if (status === undefined) return 'the server no longer shows it';
  return ENDED.includes(status)
    ? `the server says ${status}, and shows no decision of officers that it is`
    : `the server still says ${status}`;
}

async function findNewer(session: OperatorSession, stored: Chain): Promise<Chain | undefined> {
  const { campaign } = stored.plan;
  try {
    return await fetchChain(session, campaign, stored.plans);
  } catch (error) {
    const isHidden = error instanceof ProblemError && error.status === 404;
    if (isHidden) return undefined;
    if (!(error instanceof ProtocolError) && !(error instanceof CliError)) throw error;
    session.context.out.warn(`${campaign}: what the server shows is refused: ${error.message}`);
    return undefined;
  }
}
