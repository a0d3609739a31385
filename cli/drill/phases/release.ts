import { join } from 'node:path';
import { formatTime } from '../../../protocol/encoding/time.ts';
import type { Context } from '../../command.ts';
import { CommandFailed } from '../actor.ts';
import { startCli } from '../child.ts';
import { bar } from '../narrator.ts';
import { forEachOf, type Officer, type Operator, type World } from '../world.ts';
import { approveByOthers, draftOf } from './approve.ts';
import type { Staged } from './stage.ts';

/** What happened between T0 and the end of the model's day. */
export interface Adoption {
  readonly releaseTime: string;
  readonly adoptedStake: bigint; // lamports
  /** Model seconds from T0 to the attestation that carried the sum over two thirds. */
  readonly secondsToSupermajority: number | undefined;
  /** Model seconds per real second. */
  readonly timeScale: number;
}

/** From the last signature of the rescheduling to T0. */
const LEAD_MS = 4000;
/** Real seconds that the model's day is compressed to, if the machine keeps up. */
const DAY_SECONDS = 10;
/** Operators who wait for the key ahead of the one whose turn it is, and who attest at a time. */
const WAITING = 24;
const ATTESTING = 4;

/** T0: agents publish their shares, operators open, verify and attest; the tally runs. */
export async function releasePatch(world: World, staged: Staged): Promise<Adoption> {
  const { lead, context, narrator } = world;
  const { campaign, dir } = staged;
  const releaseTime = formatTime(Math.ceil((context.now() + LEAD_MS) / 1000) * 1000);
  await lead.run('reschedule', [campaign], {
    releaseTime,
    reason: 'every operator who could be reached is ready',
  });
  await approveByOthers(world, campaign, dir);
  narrator.said(`T0 moved to ${releaseTime}: everybody who was reached is ready`);

  await using agents = startAgents(world, dir);
  while (context.now() < Date.parse(releaseTime)) {
    narrator.progress(0, 1, `T-${Math.ceil((Date.parse(releaseTime) - context.now()) / 1000)} s`);
    await context.sleep(250);
  }
  narrator.said('T0. Officers’ agents publish their shares');
  const result = await adopt(world, staged, Date.parse(releaseTime));
  await agents.stop();
  return { releaseTime, ...result };
}

interface Agents extends AsyncDisposable {
  stop(): Promise<void>;
}

/** One agent is a process of its own; the others run here. */
export function startAgents(world: World, campaignDir: string): Agents {
  const { lead, others, env } = world;
  const draft = draftOf(campaignDir, lead.id);
  const child = startCli(['--home', lead.home, '--json', 'agent', '--draft', draft], env);
  const stopping = new AbortController();
  const inProcess = others.map((officer) => officer.runUntil('agent', {}, stopping.signal));
  const stop = async (): Promise<void> => {
    stopping.abort();
    await Promise.all([...inProcess, child.stop()]);
  };
  return { stop, [Symbol.asyncDispose]: stop };
}

async function adopt(
  world: World,
  { campaign }: Staged,
  releaseMs: number,
): Promise<Omit<Adoption, 'releaseTime'>> {
  const { model, context, narrator } = world;
  const queue = world.operators
    .filter(({ model: { patchedAfter } }) => patchedAfter !== undefined)
    .toSorted((a, b) => delayOf(a) - delayOf(b));
  const day = delayOf(queue.at(-1)) || 1;
  const timeScale = Math.ceil(day / DAY_SECONDS);

  const opened = new Map<string, Promise<void>>();
  const open = (operator: Operator): Promise<void> => {
    const known = opened.get(operator.name) ?? openPatch(world, operator, campaign);
    opened.set(operator.name, known);
    return known;
  };
  let done = 0;
  let adopted = 0n;
  const attest = async (operator: Operator, i: number): Promise<void> => {
    for (const ahead of queue.slice(i, i + WAITING)) open(ahead).catch(() => undefined);
    await pace(context, releaseMs + (delayOf(operator) / timeScale) * 1000);
    await open(operator);
    await operator.run('attest', [campaign], { variant: operator.model.variant });
    adopted += operator.model.stake;
    const share = Number((adopted * 10_000n) / model.totalStake) / 100;
    const text = `${bar(share, 100, [1 / 3, 2 / 3])} ${share.toFixed(2)} % of stake`;
    narrator.progress(++done, queue.length, text);
    for (const { after, text: line } of milestones) if (after === done) narrator.said(line);
  };
  const milestones = milestonesOf(queue, model.totalStake);
  const [first, ...others] = queue;
  if (first !== undefined) await attest(first, 0);
  await refusedDisclosure(world.others[0], campaign);
  narrator.said('disclose before the threshold: refused');
  await forEachOf(others, ATTESTING, (operator, i) => attest(operator, i + 1));
  narrator.said(`end of the model's day: ${queue.length} operators run the patch`);
  const secondsToSupermajority = milestones.at(1)?.seconds;
  return { adoptedStake: adopted, secondsToSupermajority, timeScale };
}

/** When the model's operators pass a third and two thirds of all stake, by how many of them. */
function milestonesOf(
  queue: readonly Operator[],
  totalStake: bigint,
): readonly { readonly after: number; readonly seconds: number; readonly text: string }[] {
  const lines = [
    { parts: 1n, text: 'a third of stake' },
    { parts: 2n, text: 'more than two thirds of stake' },
  ];
  return lines.flatMap(({ parts, text }) => {
    let sum = 0n;
    const index = queue.findIndex((operator) => {
      sum += operator.model.stake;
      return sum * 3n > totalStake * parts;
    });
    if (index === -1) return [];
    const seconds = delayOf(queue[index]);
    return [{ after: index + 1, seconds, text: `${clock(seconds)} after T0: ${text}` }];
  });
}

const delayOf = (operator: Operator | undefined): number => operator?.model.patchedAfter ?? 0;

/** `6:04 h` */
export function clock(seconds: number): string {
  return `${Math.floor(seconds / 3600)}:${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')} h`;
}

async function pace(context: Context, until: number): Promise<void> {
  if (context.now() < until) await context.sleep(until - context.now());
}

async function openPatch({ dir }: World, operator: Operator, campaign: string): Promise<void> {
  await operator.run('fetch', [campaign], {
    variant: operator.model.variant,
    wait: true,
    out: join(dir, 'patches', operator.name),
  });
}

async function refusedDisclosure(officer: Officer | undefined, campaign: string): Promise<void> {
  try {
    await officer?.run('disclose', [campaign]);
  } catch (error) {
    if (error instanceof CommandFailed) return;
    throw error;
  }
  throw new Error('the disclosure was accepted before the threshold');
}
