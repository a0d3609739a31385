import { hasChain, loadChain, type Chain } from '../../client/chain.ts';
import { hearDecisions, mirrorsNamed } from '../../client/decisions.ts';
import type { Mirror } from '../../client/mirror.ts';
import { loadTrust } from '../../client/trust.ts';
import { CliError } from '../../errors.ts';
import { decisionsForMirrors } from '../mirroring.ts';
import type { OfficerSession } from '../session.ts';
import { tellTrouble, type AgentMemory } from './memory.ts';

/** How often the mirrors of a campaign are looked at while nothing is decided. */
const PAUSE_MS = 30_000;

/** From this long before a T0 to as long after it mirrors wait: one that hangs makes nobody late. */
const QUIET_MS = 30_000;

/**
 * Hear from mirrors what the server did not tell, and bring them what they have not got.
 *
 * Heard first, so that an agent that is behind does not put an older state over a newer one.
 *
 * @returns Whether something new was heard.
 */
export async function exchangeDecisions(
  session: OfficerSession,
  memory: AgentMemory,
): Promise<boolean> {
  const { context, home } = session;
  let isNews = false;
  // Roots that came since the start count as well.
  const current = { ...session, trust: await loadTrust(home) };
  for (const id of await home.campaigns()) {
    const now = context.now();
    if ([...memory.waiting.values()].some((at) => Math.abs(at - now) < QUIET_MS)) break;
    try {
      isNews = (await exchange(current, memory, id)) || isNews;
      memory.troubles.delete(`${id} decisions`);
    } catch (error) {
      tellTrouble(session, memory, `${id} decisions`, error);
    }
  }
  return isNews;
}

async function exchange(
  session: OfficerSession,
  memory: AgentMemory,
  id: string,
): Promise<boolean> {
  const { context, home, trust } = session;
  const directory = home.campaign(id);
  const due = memory.mirrorsDue.get(id);
  const last = (await home.state.read()).campaigns[id]?.directive;
  if (due?.directive === last && context.now() < (due?.at ?? 0)) return false;
  if (!(await hasChain(directory))) return false;

  const stored = await loadChain(home, trust, directory);
  const mirrors = mirrorsFor(session, memory, stored);
  const told = new Set<string>();
  const chain = await hearDecisions(
    {
      home,
      trust,
      warn(text) {
        const about = `${id} heard ${text}`;
        told.add(about);
        tellTrouble(session, memory, about, new CliError(text));
      },
    },
    mirrors,
    stored,
  );
  for (const about of memory.troubles.keys()) {
    if (about.startsWith(`${id} heard `) && !told.has(about)) memory.troubles.delete(about);
  }
  const isEverywhere = await bring(session, memory, chain);
  const { previous, status } = chain.state;
  const isOver = isEverywhere && status === 'disclosed';
  memory.mirrorsDue.set(id, {
    directive: previous,
    at: isOver ? Infinity : context.now() + PAUSE_MS,
  });
  return chain !== stored;
}

/** Bring the decisions to each mirror that was not brought these. @returns Whether all have them. */
async function bring(session: OfficerSession, memory: AgentMemory, chain: Chain): Promise<boolean> {
  const { campaign, previous } = chain.state;
  const version = `${previous ?? ''} under root ${chain.trust.root.version}`;
  const aboutOf = ({ name }: Mirror): string => `${campaign} decisions ${name}`;
  const mirrors = mirrorsFor(session, memory, chain).filter(
    (mirror) => memory.mirrored.get(aboutOf(mirror)) !== version,
  );
  if (mirrors.length === 0) return true;
  const put = await decisionsForMirrors(session, chain);
  const answers = await Promise.all(
    mirrors.map(async (mirror) => {
      const about = aboutOf(mirror);
      try {
        await put(mirror);
        memory.mirrored.set(about, version);
        memory.troubles.delete(about);
        return true;
      } catch (error) {
        tellTrouble(session, memory, about, error);
        return false;
      }
    }),
  );
  return answers.every(Boolean);
}

/** The mirrors that the agent was given, and those of every revision. */
function mirrorsFor(
  { context }: OfficerSession,
  { mirrors }: AgentMemory,
  chain: Chain,
): readonly Mirror[] {
  const known = new Set(mirrors.map(({ name }) => name));
  return [...mirrors, ...mirrorsNamed(context, [], chain).filter(({ name }) => !known.has(name))];
}
