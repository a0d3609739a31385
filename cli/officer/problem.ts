import { ProtocolError } from '../../protocol/errors.ts';

/** What is wrong by the protocol's rules, to be told instead of thrown; `undefined` when nothing is. */
export function problemOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return error.message;
    throw error;
  }
}
