import { renewChain, type Chain } from '../client/chain.ts';
import { hearDecisions } from '../client/decisions.ts';
import type { Mirror } from '../client/mirror.ts';
import { isFork, reasonOf } from '../client/trouble.ts';
import { isTemporary } from '../client/trouble.ts';
import type { OperatorSession, ReaderSession } from './session.ts';

/** What is stored, or what the server has by now if it answers: T0 may have moved. */
export async function newestChain(session: OperatorSession, stored: Chain): Promise<Chain> {
  try {
    return await renewChain(session, stored);
  } catch (error) {
    if (isTemporary(error)) return stored;
    throw error;
  }
}

/** How often mirrors are asked at most: thousands wait for one T0, each looking every second. */
const MIRRORS_PAUSE_MS = 30_000;

/** The decisions by now, given those that are stored. */
export type Hear = (stored: Chain, mirrors: readonly Mirror[]) => Promise<Chain>;

/**
 * The same for who has other places to ask: what the server says or withholds is worth no more than
 * silence, and what it does not tell may lie on a mirror.
 *
 * @returns Throws {@link ProtocolError} `directives_forked` when officers have signed two histories:
 *   which of them holds is for people to find out.
 */
export function listenTo(session: ReaderSession, warn: (text: string) => void): Hear {
  const { context, client, home } = session;
  let next = -Infinity;
  return async (stored, mirrors) => {
    const { trust } = stored;
    const chain = await renewChain({ client, home, trust }, stored).catch((error: unknown) => {
      if (isFork(error)) throw error;
      warn(`going on with the decisions that are kept here: ${reasonOf(error)}`);
      return stored;
    });
    if (context.now() < next) return chain;
    next = context.now() + MIRRORS_PAUSE_MS;
    return hearDecisions({ home, trust, warn }, mirrors, chain);
  };
}
