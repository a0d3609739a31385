import { loadChain, type Chain } from '../client/chain.ts';
import { mirrorsNamed, sealDecisions } from '../client/decisions.ts';
import { putRoots } from '../client/mirror-roots.ts';
import { sealedPath, type Mirror } from '../client/mirror.ts';
import { reasonOf } from '../client/trouble.ts';
import type { OfficerSession } from './session.ts';
import type { Standing } from './standing.ts';

/** The roots of trust, and what was decided under them as this home keeps it, for each mirror. */
export type PutDecisions = (mirror: Mirror) => Promise<void>;

/** @throws {@link ProtocolError} `too_large` when it is too long for a mirror. */
export async function decisionsForMirrors(
  { keys }: OfficerSession,
  chain: Chain,
): Promise<PutDecisions> {
  const { trust } = chain;
  const { bytes, pathFor } = await sealDecisions(chain, trust.root);
  return async (mirror) => {
    await putRoots(trust, mirror);
    await mirror.put(pathFor(keys.id), bytes);
  };
}

/**
 * Put what was decided to every mirror that any revision names. One that is of no help is told: agents
 * try it again.
 *
 * @param given - Mirrors besides.
 * @returns The mirrors that have it.
 */
export async function bringDecisions(
  session: OfficerSession,
  { plan, revisions }: Pick<Standing, 'plan' | 'revisions'>,
  given: readonly string[] = [],
): Promise<readonly string[]> {
  const { context, home, trust } = session;
  const mirrors = mirrorsNamed(context, given, { revisions });
  if (mirrors.length === 0) return [];
  try {
    const chain = await loadChain(home, trust, home.campaign(plan.campaign));
    const put = await decisionsForMirrors(session, chain);
    return await bringToEach(session, mirrors, 'what was decided', put);
  } catch (error) {
    // The rest of what follows from a decision does not wait for mirrors.
    context.out.warn(`mirrors have not got what was decided: ${reasonOf(error)}`);
    return [];
  }
}

/** Put the officers' signatures over the plaintext to the plan's mirrors, once they were verified. */
export async function bringSignatures(
  session: OfficerSession,
  { plan, revisions, state }: Pick<Standing, 'plan' | 'revisions' | 'state'>,
  verified: Uint8Array,
  given: readonly string[] = [],
): Promise<readonly string[]> {
  const path = sealedPath('signatures', state.plan, session.keys.id);
  const mirrors = mirrorsNamed(session.context, given, { revisions });
  const put = (mirror: Mirror): Promise<void> => mirror.put(path, verified);
  return bringToEach(session, mirrors, `the signatures over the files of ${plan.campaign}`, put);
}

/** All at once, so that one that hangs delays nobody. */
async function bringToEach(
  { context }: OfficerSession,
  mirrors: readonly Mirror[],
  what: string,
  put: (mirror: Mirror) => Promise<void>,
): Promise<readonly string[]> {
  const answers = await Promise.allSettled(mirrors.map(put));
  return mirrors.flatMap(({ name }, i) => {
    const answer = answers[i];
    if (answer?.status !== 'rejected') return [name];
    context.out.warn(`${name} has not got ${what}: ${reasonOf(answer.reason)}`);
    return [];
  });
}
