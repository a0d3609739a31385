import { isDue } from '../../../protocol/campaign/due.ts';
import { recipientOf } from '../../../protocol/embargo/age.ts';
import { opensAt } from '../../../protocol/embargo/custody.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { planDigest } from '../../../protocol/plan/plan.ts';
import { keysOf } from '../../../protocol/plan/splits.ts';
import type { Envelope } from '../../../protocol/signature/dsse.ts';
import { isReleaseKeyOut, signOwnShare, signReleaseKey } from '../publishing.ts';
import type { OfficerSession } from '../session.ts';
import type { Pending, Standing } from '../standing.ts';
import { whyHeldBack } from './held-back.ts';
import type { Holding } from './kept.ts';
import { mirrorsOf, tellTrouble, type AgentMemory } from './memory.ts';
import { mirrorOutlet, serverOutlet, type Outlet, type PublicationName } from './outlets.ts';

/** Publish whichever of our shares is due by now, to the server and to every mirror. */
export async function publishDueShares(
  session: OfficerSession,
  memory: AgentMemory,
  holding: Holding,
  pending?: Pending,
): Promise<void> {
  const { plan, state, shares } = holding;
  for (const key of keysOf(plan)) {
    const now = session.context.now();
    if (isOutEverywhere(memory, plan.campaign, key)) continue;
    if (!isDue(key, state, now) || now < opensAt(plan, key)) continue;
    // By itself only when the embargo was broken; where a beacon is missing, officers decide.
    if (key === 'break-glass' && state.breakGlass !== 'broken') continue;
    if (key !== 'closing' && (await isHeldBack(session, memory, holding, pending))) continue;
    await publishEverywhere(session, memory, holding, key, () =>
      signOwnShare(session, plan, key, shares, memory.findBeacon),
    );
  }
}

/** Once enough shares are out, whoever holds the access key spares operators the combining. */
export async function publishReleaseKey(
  session: OfficerSession,
  memory: AgentMemory,
  standing: Standing,
): Promise<void> {
  const { plan, view } = standing;
  const { campaign } = plan;
  const accessKey = memory.accessKeys.get(plan.accessRecipient);
  if (accessKey === undefined || isOutEverywhere(memory, campaign, 'release-key')) return;
  if (view.releasedAt === null) return;
  if ((await recipientOf(accessKey)) !== plan.accessRecipient) {
    throw new ProtocolError('key_mismatch', 'the draft is not of the plan that was decided on');
  }
  // Whoever published it first has spared us the work at the server.
  if (await isReleaseKeyOut(session, standing)) memory.done.add(`${campaign} release-key`);
  await publishEverywhere(session, memory, standing, 'release-key', () =>
    signReleaseKey(session, standing, accessKey),
  );
}

/** Whether nothing is left to do for one publication. */
export function isOutEverywhere(
  memory: AgentMemory,
  campaign: string,
  of: PublicationName,
): boolean {
  const { done } = memory;
  const name = `${campaign} ${of}`;
  const mirrors = mirrorsOf(memory, campaign);
  return done.has(name) && mirrors.every((mirror) => done.has(`${name} ${mirror.name}`));
}

/** There is nothing of ours to publish. */
export function leaveOut(memory: AgentMemory, campaign: string, of: PublicationName): void {
  const { done } = memory;
  const name = `${campaign} ${of}`;
  done.add(name);
  for (const mirror of mirrorsOf(memory, campaign)) done.add(`${name} ${mirror.name}`);
}

/**
 * Hand one publication to the server and to every mirror that has not got it. All at once, so that
 * one that hangs delays nobody; whoever fails is told of and asked again the next time.
 */
async function publishEverywhere(
  session: OfficerSession,
  memory: AgentMemory,
  { plan, planBytes }: Pick<Holding, 'plan' | 'planBytes'>,
  of: PublicationName,
  sign: () => Promise<Envelope>,
): Promise<void> {
  const { campaign } = plan;
  const name = `${campaign} ${of}`;
  const signedFor = `${name} ${planDigest(planBytes)}`;
  const envelope = memory.signed.get(signedFor) ?? (await trySign(session, memory, name, sign));
  if (envelope === undefined) return;
  memory.signed.set(signedFor, envelope);
  const publish = async (done: string, outlet: Outlet): Promise<void> => {
    if (memory.done.has(done)) return;
    try {
      const isNew = await outlet.publish(planBytes, of, envelope);
      memory.done.add(done);
      memory.troubles.delete(done);
      if (isNew) tell(session, campaign, of, outlet);
    } catch (error) {
      tellTrouble(session, memory, done, error);
    }
  };
  await Promise.all([
    publish(name, serverOutlet(session, campaign)),
    ...mirrorsOf(memory, campaign).map((mirror) =>
      publish(`${name} ${mirror.name}`, mirrorOutlet(mirror, session.keys.id)),
    ),
  ]);
}

/** What cannot be signed yet, such as a share whose beacon nobody has, holds up nothing else. */
async function trySign(
  session: OfficerSession,
  memory: AgentMemory,
  name: string,
  sign: () => Promise<Envelope>,
): Promise<Envelope | undefined> {
  try {
    const envelope = await sign();
    memory.troubles.delete(`${name} sign`);
    return envelope;
  } catch (error) {
    tellTrouble(session, memory, `${name} sign`, error);
    return undefined;
  }
}

function tell(
  { context, client }: OfficerSession,
  campaign: string,
  of: PublicationName,
  { name }: Outlet,
): void {
  const what = of === 'release-key' ? 'the release key' : `our share of the ${of} key`;
  const where = name === client.server ? '' : ` to ${name}`;
  if (of === 'break-glass') context.out.warn(`${campaign}: BREAK-GLASS: published ${what}${where}`);
  else context.out.line(`${campaign}: published ${what}${where}`);
  context.out.event(of === 'release-key' ? of : 'share', { campaign, key: of, outlet: name });
}

/** What we signed ourselves holds back our own share, whatever the others decide. */
async function isHeldBack(
  session: OfficerSession,
  memory: AgentMemory,
  { plan: { campaign }, state, directives }: Holding,
  pending: Pending | undefined,
): Promise<boolean> {
  const why = await whyHeldBack(session, { campaign, state, directives }, pending);
  const about = `${campaign} held back`;
  if (why === undefined) memory.troubles.delete(about);
  else tellTrouble(session, memory, about, why);
  return why !== undefined;
}
