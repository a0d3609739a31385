import { parseTime } from '../../../protocol/encoding/time.ts';
import type { CampaignView } from '../../client/client.ts';
import { warnOfServerCustody } from '../../client/server-custody.ts';
import { loadTrust } from '../../client/trust.ts';
import { CliError, InterruptedError, ProblemError } from '../../errors.ts';
import { isHolder, openOwnShares } from '../custody.ts';
import { presignedReminders } from '../decisions/presigned-reminders.ts';
import { loadPresigned } from '../decisions/presigned.ts';
import { refreshSession, type OfficerSession } from '../session.ts';
import { loadStanding, type Pending, type Standing } from '../standing.ts';
import { whyHeldBack } from './held-back.ts';
import { loadHolding, type Holding } from './kept.ts';
import { followRevision, learnMirrors, tellTrouble, type AgentMemory } from './memory.ts';
import { exchangeDecisions } from './mirrors.ts';
import type { PublicationName } from './outlets.ts';
import { isOutEverywhere, leaveOut, publishDueShares, publishReleaseKey } from './publishing.ts';

/** From this long before T0 on the clock is looked at every second. */
const NEAR_MS = 90_000;
const NEAR_POLL_MS = 1_000;
/** How soon an unreachable server is tried again. */
const RETRY_MS = 2_000;

/**
 * Look at every campaign once and publish what is due by now.
 *
 * Trouble with one campaign is told and does not hold up the others. Nothing is remembered from one
 * time to the next that decides whether something is due: directives are verified again, and the
 * clock is read again, so that a restart, a sleep or a moved T0 cannot make it late or early. Where
 * the server does not answer, what this home has kept decides.
 *
 * @param pollMs - How long to wait at most.
 * @returns Milliseconds until it has to look again.
 */
export async function serveOnce(
  session: OfficerSession,
  memory: AgentMemory,
  pollMs: number,
): Promise<number> {
  const wait = await serveAll(session, memory, pollMs);
  const isNews = await exchangeDecisions(session, memory);
  return isNews ? serveAll(session, memory, pollMs) : wait;
}

/** Look at every campaign once. */
async function serveAll(
  session: OfficerSession,
  memory: AgentMemory,
  pollMs: number,
): Promise<number> {
  const { context } = session;
  let wait = pollMs;
  try {
    const fresh = await refreshSession(session);
    const views = await fresh.client.campaigns();
    for (const view of views) {
      wait = Math.min(wait, await serveTold(fresh, memory, view, pollMs));
    }
    const told = new Set(views.map(({ campaign }) => campaign));
    for (const id of await session.home.campaigns()) {
      if (!told.has(id)) wait = Math.min(wait, await serveKept(fresh, memory, id, pollMs));
    }
    memory.troubles.delete('');
  } catch (error) {
    tellTrouble(session, memory, '', error);
    wait = Math.min(wait, RETRY_MS);
    // Mirrors may have told of roots since the start.
    const here = { ...session, trust: await loadTrust(session.home) };
    for (const id of await session.home.campaigns()) {
      wait = Math.min(wait, await serveKept(here, memory, id));
    }
  }
  if (context.signal.aborted) throw new InterruptedError();
  return wait;
}

/** Look after a campaign that the server tells of. */
async function serveTold(
  session: OfficerSession,
  memory: AgentMemory,
  view: CampaignView,
  pollMs: number,
): Promise<number> {
  const { campaign } = view;
  try {
    const wait = await serveCampaign(session, memory, view, pollMs);
    memory.troubles.delete(campaign);
    memory.troubles.delete(`${campaign} kept`);
    return wait;
  } catch (error) {
    tellTrouble(session, memory, campaign, error);
    if (isTooEarly(error)) return NEAR_POLL_MS;
    // Whoever has the server can also make it refuse or lie: that must not be worth more than silence.
    return await serveKept(session, memory, campaign);
  }
}

async function serveCampaign(
  session: OfficerSession,
  memory: AgentMemory,
  view: CampaignView,
  pollMs: number,
): Promise<number> {
  const { campaign } = view;
  if (isOver(view, memory)) return pollMs;
  // Of a draft nothing is kept, unless the server has forgotten what was decided.
  if (view.status === 'draft') return serveKept(session, memory, campaign, pollMs);
  const standing = await loadStanding(session, campaign);
  const { plan, planRoot, pending } = standing;
  followRevision(memory, plan);
  learnMirrors(session, memory, plan);
  await remind(session, memory, standing);
  if (isHolder(session, planRoot)) {
    const holding = { ...standing, shares: await openOwnShares(session, plan) };
    await tellHolding(session, memory, holding, pending);
    await publishDueShares(session, memory, holding, pending);
  } else {
    const text = 'we hold no share: the plan was made before our keys were in force';
    tellTrouble(session, memory, `${campaign} shares`, new CliError(text));
    leaveOut(memory, campaign, 'release');
    leaveOut(memory, campaign, 'closing');
    leaveOut(memory, campaign, 'break-glass');
  }
  await publishReleaseKey(session, memory, standing);
  const isReleasing = view.releasedAt === null && memory.done.has(`${campaign} release`);
  return waitFor(standing, memory, isReleasing, session.context.now(), pollMs);
}

/**
 * Publish what is due by what this home has kept, while the server is of no help.
 *
 * @param idleMs - How long to wait where nothing is kept.
 */
async function serveKept(
  session: OfficerSession,
  memory: AgentMemory,
  campaign: string,
  idleMs = RETRY_MS,
): Promise<number> {
  try {
    const holding = await loadHolding(session, campaign);
    if (holding === undefined) return idleMs;
    warnOfServerCustody(session.context.out, holding.plan);
    followRevision(memory, holding.plan);
    learnMirrors(session, memory, holding.plan);
    await tellHolding(session, memory, holding);
    await publishDueShares(session, memory, holding);
    return waitFor(holding, memory, false, session.context.now(), RETRY_MS);
  } catch (error) {
    tellTrouble(session, memory, `${campaign} kept`, error);
    return RETRY_MS;
  }
}

/** Say until when our shares are held, once until it changes. */
async function tellHolding(
  session: OfficerSession,
  { said }: AgentMemory,
  holding: Holding,
  pending?: Pending,
): Promise<void> {
  const { context } = session;
  const { campaign } = holding.plan;
  const { state, directives } = holding;
  const { releaseTime, status } = state;
  const why =
    status === 'armed'
      ? await whyHeldBack(session, { campaign, state, directives }, pending)
      : undefined;
  const text = `${campaign}: holding our shares; T0 is ${releaseTime}${why ? `; ${why.message}` : ''}`;
  if (said.get(campaign) === text) return;
  said.set(campaign, text);
  context.out.line(text);
  context.out.event('holding', { campaign, releaseTime, heldBack: why !== undefined });
}

/** Signatures that were given ahead end by themselves, and somebody has to give new ones. */
async function remind(
  session: OfficerSession,
  memory: AgentMemory,
  standing: Standing,
): Promise<void> {
  const { reminded } = memory;
  try {
    const presigned = await loadPresigned(session, standing);
    for (const text of presignedReminders(session, standing, presigned)) {
      if (reminded.has(text)) continue;
      reminded.add(text);
      session.context.out.warn(text);
    }
  } catch (error) {
    tellTrouble(session, memory, `${standing.plan.campaign} presigned`, error);
  }
}

/** Nothing is left to publish. */
function isOver(view: CampaignView, memory: AgentMemory): boolean {
  const { campaign, opened, status, breakGlass, releasedAt } = view;
  // Closing shares are enough sooner than those of the second split, which takes more of them.
  if (breakGlass.state === 'broken' && releasedAt === null) {
    if (!isOutEverywhere(memory, campaign, 'break-glass')) return false;
  }
  // Opened by the server is not yet open to those whom it refuses: mirrors get our share too.
  const closing = `${campaign} closing`;
  if (opened && !memory.done.has(closing)) {
    memory.opened.add(campaign);
    memory.done.add(closing);
  }
  // Nobody has verified that it is open: once the server says otherwise, our share is due again.
  if (!opened && memory.opened.delete(campaign)) memory.done.delete(closing);
  const isKnown = memory.planned.has(campaign);
  return status === 'disclosed' && isKnown && isOutEverywhere(memory, campaign, 'closing');
}

function waitFor(
  { plan: { accessRecipient }, state, view }: Pick<Holding, 'plan' | 'state'> & Partial<Standing>,
  memory: AgentMemory,
  isReleasing: boolean,
  now: number,
  pollMs: number,
): number {
  const { campaign } = state;
  if (state.status === 'armed') memory.waiting.set(campaign, parseTime(state.releaseTime));
  else memory.waiting.delete(campaign);
  const isOut = (of: PublicationName): boolean => isOutEverywhere(memory, campaign, of);
  const due = [
    ...(state.status === 'armed' && !isOut('release') ? [state.releaseTime] : []),
    // What is missing at a mirror by the time the server has opened can wait.
    ...(isOut('closing') || view?.opened ? [] : [state.latestDisclosure]),
  ].map((time) => parseTime(time) - now);
  if (state.breakGlass === 'broken' && !isOut('break-glass')) due.push(0);
  // What is past and not done was refused or held back: it is not worth more than a second.
  const next = Math.min(...due.map((ms) => (ms > 0 ? ms : NEAR_POLL_MS)), Infinity);
  // Between our share and the t-th: the key can follow any second.
  const keyIsDue = memory.accessKeys.has(accessRecipient) && !isOut('release-key');
  if (keyIsDue && (isReleasing || state.released)) return Math.min(pollMs, NEAR_POLL_MS);
  return Math.min(pollMs, next > NEAR_MS ? next - NEAR_MS : Math.min(next, NEAR_POLL_MS));
}

/** The server's clock is behind ours. */
function isTooEarly(error: unknown): boolean {
  return error instanceof ProblemError && error.status === 425;
}
