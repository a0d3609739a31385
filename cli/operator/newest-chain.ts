import { renewChain, type Chain } from '../client/chain.ts';
import { isTemporary } from './opening.ts';
import type { OperatorSession } from './session.ts';

/** What is stored, or what the server has by now if it answers: T0 may have moved. */
export async function newestChain(session: OperatorSession, stored: Chain): Promise<Chain> {
  try {
    return await renewChain(session, stored);
  } catch (error) {
    if (isTemporary(error)) return stored;
    throw error;
  }
}
