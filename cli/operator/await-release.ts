import { parseTime } from '../../protocol/encoding/time.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { loadChain, type Chain } from '../client/chain.ts';
import { mirrorsNamed } from '../client/decisions.ts';
import { isOverdue, overdueError, overdueText } from '../client/overdue.ts';
import { warnOfServerCustody } from '../client/server-custody.ts';
import { isFork, isTemporary } from '../client/trouble.ts';
import { loadTrust } from '../client/trust.ts';
import { NotReleasedError, ProblemError, VerificationError, WithdrawnError } from '../errors.ts';
import type { CampaignDirectory } from '../home/campaign-directory.ts';
import { listenTo, newestChain } from './newest-chain.ts';
import { supersededError } from './notice.ts';
import { findReleaseKey } from './release-key.ts';
import type { OperatorSession } from './session.ts';

/** How often T0 and the shares are looked at: never a long timer, always the clock. */
const LONG_PAUSE_MS = 30_000;
const SHORT_PAUSE_MS = 1000;

/** A released campaign, and the key to its patch. */
export interface Released {
  readonly chain: Chain;
  readonly key: string;
}

/**
 * @throws {@link NotReleasedError} while too little is published; {@link VerificationError} when that
 *   has lasted too long after T0.
 */
export type Ask = (stored: Chain) => Promise<Released>;

type Warn = (text: string) => void;

/**
 * Ask for the release key: the server, and the mirrors that were given or that a plan names.
 *
 * @param accessKey - From the notice.
 */
export function keyAsker(
  session: OperatorSession,
  accessKey: string,
  given: readonly string[],
  warn: Warn,
): Ask {
  const { context } = session;
  const hear = listenTo(session, warn);
  return async (stored) => {
    const known = mirrorsNamed(context, given, stored);
    const chain = await (known.length > 0 ? hear(stored, known) : newestChain(session, stored));
    const mirrors = mirrorsNamed(context, given, chain);
    warnOfServerCustody(context.out, chain.plan);
    const { campaign, status, releaseTime } = chain.state;
    // Never the old patch for the new one, whichever of the two was prefetched.
    if (chain.plan.releaseRecipient !== stored.plan.releaseRecipient) {
      throw supersededError(stored.plan, chain.plan);
    }
    if (status === 'aborted' || status === 'withdrawn') {
      throw new WithdrawnError(
        `${campaign} is ${status}`,
        'do not apply it; read what officers wrote',
      );
    }
    const key = await findReleaseKey(session, chain, accessKey, mirrors, warn).catch(
      (error: unknown) => {
        if (isTemporary(error) && isOverdue(releaseTime, context.now())) {
          warn(overdueText({ campaign, releaseTime, reason: 'this server does not answer' }));
        }
        throw error;
      },
    );
    if (key !== undefined) return { chain, key };
    if (isOverdue(releaseTime, context.now())) {
      const reason = 'too few officers have published their shares, by what this server shows';
      throw overdueError([{ campaign, releaseTime, reason }]);
    }
    throw notReleased(chain, context.now());
  };
}

/** Why there is no key, and what to do: before T0, after it, or where officers released without it. */
function notReleased({ state }: Chain, now: number): NotReleasedError {
  const { campaign, released, releaseTime } = state;
  const wait = 'add --wait, or repeat the command; after ten minutes call an officer';
  if (released) {
    return new NotReleasedError(`the shares of ${campaign} are to be published at once`, wait);
  }
  if (parseTime(releaseTime) > now) {
    const message = `${campaign} is not released yet: T0 is ${releaseTime}`;
    return new NotReleasedError(message, 'add --wait, or come back then');
  }
  return new NotReleasedError(
    `T0 of ${campaign} has passed, but too few officers have published their shares`,
    'repeat the command, and call an officer',
  );
}

/** Ask again and again until there is a key. What it is told in between is warned of. */
export async function waitForKey(
  session: OperatorSession,
  directory: CampaignDirectory,
  stored: Chain,
  ask: Ask,
  warn: Warn,
): Promise<Released> {
  const { context } = session;
  let chain = stored;
  for (;;) {
    try {
      return await ask(chain);
    } catch (error) {
      if (isFork(error)) throw error;
      // A server that lies now and then must not end a wait for T0: what it said is left out.
      if (error instanceof ProtocolError) warn(`an answer is refused: ${error.message}`);
      else if (error instanceof VerificationError) warn(error.message);
      else if (error instanceof ProblemError) warn(`the server refuses: ${error.message}`);
      else if (!(error instanceof NotReleasedError) && !isTemporary(error)) throw error;
    }
    // Roots may have come from mirrors as well.
    chain = await loadChain(session.home, await loadTrust(session.home), directory);
    const { released, releaseTime } = chain.state;
    const left = released ? 0 : parseTime(releaseTime) - context.now();
    context.out.progress(left > 0 ? `T-${Math.ceil(left / 1000)} s` : 'waiting for shares');
    // Jitter keeps a thousand operators from asking in the same instant.
    const pause = left > 0 ? Math.min(left, LONG_PAUSE_MS) : SHORT_PAUSE_MS;
    await context.sleep(pause + (context.randomBytes(1)[0] ?? 0));
  }
}
