import { z } from 'zod';
import type { Directive } from '../../protocol/campaign/directive.ts';
import { utf8Encode } from '../../protocol/encoding/bytes.ts';
import { parseJson } from '../../protocol/encoding/json.ts';
import { parseShape, safeCount, time } from '../../protocol/encoding/shape.ts';
import { parseTime } from '../../protocol/encoding/time.ts';
import type { Home } from '../home/home.ts';

const STOPPED = 'stopped';
const VOTES = 'reschedules.json';
const MAX_VOTES = 1000;

/** From now on this home's agent publishes no release share of the campaign. */
export async function stopOwnAgent(home: Home, campaign: string): Promise<void> {
  await home.campaign(campaign).write(STOPPED, 'this officer signed an abort\n');
}

/** Whether this officer has signed an abort: one signature stops the signer's own agent at once. */
export async function isStopped(home: Home, campaign: string): Promise<boolean> {
  return (await home.campaign(campaign).find(STOPPED)) !== undefined;
}

/** Where to find the file that stops the agent, for an officer whose abort came to nothing. */
export function stopPath(home: Home, campaign: string): Promise<string> {
  return home.campaign(campaign).path(STOPPED);
}

/** A `reschedule` that this officer signed: its number, and the T0 in it. */
export type Vote = Pick<Directive, 'sequence'> & { readonly releaseTime?: string };

const votesShape = z
  .array(z.strictObject({ sequence: safeCount.min(1), releaseTime: time }))
  .max(MAX_VOTES);

/** From now on this home's agent waits for this T0 too, whether or not it hears of the others. */
export async function delayOwnAgent(
  home: Home,
  campaign: string,
  { sequence, releaseTime }: Required<Vote>,
): Promise<void> {
  const votes = [...(await findVotes(home, campaign)), { sequence, releaseTime }];
  const text = `${JSON.stringify(votes.slice(-MAX_VOTES))}\n`;
  await home.campaign(campaign).write(VOTES, utf8Encode(text));
}

/** @throws {@link ProtocolError} for a damaged file: a T0 that we signed is not to be forgotten. */
export async function findVotes(home: Home, campaign: string): Promise<readonly Required<Vote>[]> {
  const bytes = await home.campaign(campaign).find(VOTES);
  if (bytes === undefined) return [];
  return parseShape(votesShape, parseJson(bytes, 1_048_576), 'encoding_invalid', VOTES);
}

/** Where to find the file that delays the agent, for an officer who thought better of it. */
export function votesPath(home: Home, campaign: string): Promise<string> {
  return home.campaign(campaign).path(VOTES);
}

/**
 * The latest T0 that this officer has signed and that officers may have decided on since the last
 * decision that we know of. Once a T0 was decided on with that number or a later one, it stands.
 */
export function laterTime(
  votes: readonly Vote[],
  decided: readonly Pick<Directive, 'sequence' | 'action'>[],
): string | undefined {
  const last = decided.findLast(({ action }) =>
    ['arm', 'reschedule', 'supersede'].includes(action),
  );
  return votes
    .filter(({ sequence }) => sequence > (last?.sequence ?? 0))
    .flatMap(({ releaseTime }) => releaseTime ?? [])
    .toSorted((a, b) => parseTime(a) - parseTime(b))
    .at(-1);
}
