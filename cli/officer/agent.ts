import { recipientOf } from '../../protocol/embargo/age.ts';
import { parsePlan } from '../../protocol/campaign/plan.ts';
import { parseTime } from '../../protocol/encoding/time.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { CampaignView } from '../client/client.ts';
import { CliError, InterruptedError, ProblemError } from '../errors.ts';
import { readInputFile } from '../home/files.ts';
import { openDraft } from '../../protocol/embargo/draft.ts';
import { isHolder, openOwnShares, type OwnShares } from './custody.ts';
import { accessKeyOf } from './drafts.ts';
import { isDue, isReleaseKeyOut, publishReleaseKey, publishShare } from './publishing.ts';
import { MAX_DRAFT_BYTES } from './sealed-dir.ts';
import { refreshSession, type OfficerSession } from './session.ts';
import { loadStanding, type Standing } from './standing.ts';
import { isStopped, stopPath } from './stop.ts';

/** What an agent keeps in memory, and nowhere else. */
export interface AgentMemory {
  /** Own share documents by campaign, opened and checked against its plan. */
  readonly shares: Map<string, OwnShares>;
  /** Access keys by campaign, from the drafts given at the start. */
  readonly accessKeys: ReadonlyMap<string, string>;
  /** What is out, `<campaign> <key>`: so that nothing is sent twice in vain. */
  readonly done: Set<string>;
  /** The last trouble told, by what it is about: the same is not told every second. */
  readonly troubles: Map<string, string>;
}

/** From this long before T0 on the clock is looked at every second. */
const NEAR_MS = 90_000;
const NEAR_POLL_MS = 1_000;
/** How soon an unreachable server is tried again. */
const RETRY_MS = 2_000;

/** An agent's memory at its start. Of a draft only the access key is kept. */
export async function startAgent(
  { keys }: OfficerSession,
  drafts: readonly string[],
): Promise<AgentMemory> {
  const accessKeys = new Map<string, string>();
  for (const path of drafts) {
    const draft = await openDraft(await readInputFile(path, MAX_DRAFT_BYTES), keys.ageIdentity);
    accessKeys.set(parsePlan(draft.plan).campaign, await accessKeyOf(draft));
  }
  return { shares: new Map(), accessKeys, done: new Set(), troubles: new Map() };
}

/**
 * Look at every campaign once and publish what is due by now.
 *
 * Trouble with one campaign is told and does not hold up the others. Nothing is remembered from one
 * time to the next that decides whether something is due: directives are verified again, and the
 * clock is read again, so that a restart, a sleep or a moved T0 cannot make it late or early.
 *
 * @param pollMs - How long to wait at most.
 * @returns Milliseconds until it has to look again.
 */
export async function serveOnce(
  session: OfficerSession,
  memory: AgentMemory,
  pollMs: number,
): Promise<number> {
  const { context } = session;
  let wait = pollMs;
  try {
    const fresh = await refreshSession(session);
    for (const view of await fresh.client.campaigns()) {
      try {
        wait = Math.min(wait, await serveCampaign(fresh, memory, view, pollMs));
        memory.troubles.delete(view.campaign);
      } catch (error) {
        tellTrouble(session, memory, view.campaign, error);
        wait = Math.min(wait, isTooEarly(error) ? NEAR_POLL_MS : RETRY_MS);
      }
    }
    memory.troubles.delete('');
  } catch (error) {
    tellTrouble(session, memory, '', error);
    wait = Math.min(wait, RETRY_MS);
  }
  if (context.signal.aborted) throw new InterruptedError();
  return wait;
}

async function serveCampaign(
  session: OfficerSession,
  memory: AgentMemory,
  view: CampaignView,
  pollMs: number,
): Promise<number> {
  const { context } = session;
  const { campaign } = view;
  if (isOver(view, memory) || view.status === 'draft') return pollMs;
  const standing = await loadStanding(session, campaign);
  const { plan, planRoot, state } = standing;
  let shares = memory.shares.get(campaign);
  if (!isHolder(session, planRoot)) {
    const text = 'we hold no share: the plan was made before our keys were in force';
    tellTrouble(session, memory, `${campaign} shares`, new CliError(text));
    memory.done.add(`${campaign} release`).add(`${campaign} closing`);
  } else if (shares === undefined) {
    shares = await openOwnShares(session, plan);
    memory.shares.set(campaign, shares);
    context.out.line(`${campaign}: holding our shares; T0 is ${state.releaseTime}`);
    context.out.event('holding', { campaign, releaseTime: state.releaseTime });
  }

  for (const key of ['release', 'closing'] as const) {
    const name = `${campaign} ${key}`;
    if (shares === undefined || memory.done.has(name)) continue;
    if (!isDue(key, state, context.now())) continue;
    if (key === 'release' && (await isHeldBack(session, memory, standing))) continue;
    const isNew = await publishShare(session, plan, key, shares);
    memory.done.add(name);
    if (isNew) context.out.line(`${campaign}: published our share of the ${key} key`);
    context.out.event('share', { campaign, key, new: isNew });
  }
  await serveReleaseKey(session, memory, standing);
  return waitFor(standing, memory, context.now(), pollMs);
}

/** Once enough shares are out, whoever holds the access key spares operators the combining. */
async function serveReleaseKey(
  session: OfficerSession,
  memory: AgentMemory,
  { plan, roots, view }: Standing,
): Promise<void> {
  const { context } = session;
  const { campaign } = plan;
  const name = `${campaign} release-key`;
  const accessKey = memory.accessKeys.get(campaign);
  if (accessKey === undefined || memory.done.has(name)) return;
  if (view.shares.published.length < plan.shareThreshold || view.releasedAt === null) return;
  if ((await recipientOf(accessKey)) !== plan.accessRecipient) {
    throw new ProtocolError('key_mismatch', 'the draft is not of the plan that was decided on');
  }
  if (!(await isReleaseKeyOut(session, { plan, roots }))) {
    await publishReleaseKey(session, { plan, roots }, accessKey);
    context.out.line(`${campaign}: published the release key`);
    context.out.event('release-key', { campaign });
  }
  memory.done.add(name);
}

/** One signature under an abort holds back the signer's own share, whatever the others decide. */
async function isHeldBack(
  session: OfficerSession,
  memory: AgentMemory,
  { plan, pending }: Standing,
): Promise<boolean> {
  const { home, keys } = session;
  const { campaign } = plan;
  const votes = pending?.directive.action === 'abort' && pending.people.includes(keys.id);
  if (!votes && !(await isStopped(home, campaign))) return false;
  const why = new CliError(
    'our release share is held back, because we signed an abort',
    `to publish after all, remove ${await stopPath(home, campaign)}`,
  );
  tellTrouble(session, memory, `${campaign} release`, why);
  return true;
}

/** Nothing is left to publish. */
function isOver({ campaign, opened, status }: CampaignView, { done }: AgentMemory): boolean {
  return opened || (status === 'disclosed' && done.has(`${campaign} closing`));
}

function waitFor(
  { state, view }: Standing,
  { done, accessKeys }: AgentMemory,
  now: number,
  pollMs: number,
): number {
  const { campaign } = state;
  const due = [
    ...(state.status === 'armed' && !done.has(`${campaign} release`) ? [state.releaseTime] : []),
    ...(done.has(`${campaign} closing`) ? [] : [state.latestDisclosure]),
  ].map((time) => parseTime(time) - now);
  // What is past and not done was refused or held back: it is not worth more than a second.
  const next = Math.min(...due.map((ms) => (ms > 0 ? ms : NEAR_POLL_MS)), Infinity);
  // Between our share and the t-th: the key can follow any second.
  const isReleasing = view.releasedAt === null && done.has(`${campaign} release`);
  const keyIsDue = accessKeys.has(campaign) && !done.has(`${campaign} release-key`);
  if (keyIsDue && (isReleasing || state.released)) return Math.min(pollMs, NEAR_POLL_MS);
  return Math.min(pollMs, next > NEAR_MS ? next - NEAR_MS : Math.min(next, NEAR_POLL_MS));
}

function tellTrouble(
  { context }: OfficerSession,
  { troubles }: AgentMemory,
  campaign: string,
  error: unknown,
): void {
  if (context.signal.aborted || error instanceof InterruptedError) throw new InterruptedError();
  if (!(error instanceof CliError) && !(error instanceof ProtocolError)) throw error;
  const advice = error instanceof CliError && error.advice ? `; ${error.advice}` : '';
  const [id = ''] = campaign.split(' ');
  const text = `${id === '' ? '' : `${id}: `}${error.message}${advice}`;
  if (troubles.get(campaign) === text) return;
  troubles.set(campaign, text);
  context.out.warn(text);
}

/** The server's clock is behind ours. */
function isTooEarly(error: unknown): boolean {
  return error instanceof ProblemError && error.status === 425;
}
