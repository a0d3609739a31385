import { parseTime } from '../../protocol/encoding/time.ts';
import { VerificationError } from '../errors.ts';

/**
 * How long after T0 "nothing new" is nothing to worry about: agents speak within seconds, and no
 * timestamp that the server signed before T0 lives longer than this beyond it.
 */
const RELEASE_GRACE_MS = 10 * 60_000;

/** Whether something should have happened by now that has not. `now` is Unix ms. */
export function isOverdue(releaseTime: string, now: number): boolean {
  return now >= parseTime(releaseTime) + RELEASE_GRACE_MS;
}

/** What a campaign that is overdue looks like from here. */
export interface Overdue {
  readonly campaign: string;
  /** As it was verified here; else as the server says. */
  readonly releaseTime: string;
  readonly reason: string;
}

/** An alarm in words. A server that freezes us looks exactly so, and so do officers in trouble. */
export function overdueText({ campaign, releaseTime, reason }: Overdue): string {
  return `ALARM: T0 of ${campaign} was ${releaseTime}, but ${reason}`;
}

/** The same as a failure: nobody's script may take it for "nothing to do". */
export function overdueError(overdue: readonly Overdue[]): VerificationError {
  return new VerificationError(
    overdue.map(overdueText).join('; '),
    'call an officer at a number you know, and ask from another network: it may be kept from you',
  );
}
