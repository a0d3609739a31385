import { parseTime } from '../../../protocol/encoding/time.ts';
import { CliError } from '../../errors.ts';
import type { OfficerSession } from '../session.ts';
import type { Pending } from '../standing.ts';
import { findVotes, isStopped, laterTime, stopPath, votesPath } from '../stop.ts';
import type { Holding } from './kept.ts';

/**
 * Why our release share must not go out now, though its time has come by what was decided: because
 * of our own signature under an abort, or under a later T0 whose fate we may not have heard of.
 *
 * An abort holds it for good, a `reschedule` until the T0 that we signed: by then it is due however
 * the others decided.
 */
export async function whyHeldBack(
  { context, home, keys }: OfficerSession,
  { campaign, state, directives }: Pick<Holding, 'state' | 'directives'> & { campaign: string },
  pending?: Pending,
): Promise<CliError | undefined> {
  const signed = pending?.people.includes(keys.id) === true ? pending.directive : undefined;
  if (signed?.action === 'abort' || (await isStopped(home, campaign))) {
    return new CliError(
      'our release share is held back, because we signed an abort',
      `to publish after all, remove ${await stopPath(home, campaign)}`,
    );
  }
  // A key that is out, or an embargo that is broken, is nothing to wait for.
  if (state.released) return undefined;
  const votes = await findVotes(home, campaign);
  const until = laterTime([...votes, ...(signed ? [signed] : [])], directives);
  if (until === undefined || context.now() >= parseTime(until)) return undefined;
  return new CliError(
    `our release share is held back until ${until}: we signed that T0, and others may have not`,
    `to publish at ${state.releaseTime} after all, remove ${await votesPath(home, campaign)}`,
  );
}
