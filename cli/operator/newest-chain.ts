import { renewChain, type Chain } from '../client/chain.ts';
import { isTemporary } from './opening.ts';
import type { OperatorSession, ReaderSession } from './session.ts';
import { reasonOf } from './sources.ts';

/** What is stored, or what the server has by now if it answers: T0 may have moved. */
export async function newestChain(session: OperatorSession, stored: Chain): Promise<Chain> {
  try {
    return await renewChain(session, stored);
  } catch (error) {
    if (isTemporary(error)) return stored;
    throw error;
  }
}

/** The same where nothing that the server says or withholds may stop anybody. */
export async function newestOrKept(session: ReaderSession, stored: Chain): Promise<Chain> {
  try {
    return await renewChain(session, stored);
  } catch (error) {
    session.context.out.warn(`going on with the decisions that are kept here: ${reasonOf(error)}`);
    return stored;
  }
}
