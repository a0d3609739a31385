import { z } from 'zod';
import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { parseShape } from '../../protocol/encoding/shape.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { addressText } from '../../protocol/stake/identity.ts';
import { parseLamports, type SnapshotRow } from '../../protocol/stake/snapshot.ts';

/** A number of JSON with the digits it was written with: lamports go beyond 2^53. */
class ExactNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const voteAccount = z.looseObject({
  votePubkey: addressText,
  nodePubkey: addressText,
  activatedStake: z.instanceof(ExactNumber),
});
const accounts = z.looseObject({
  current: z.array(voteAccount),
  delinquent: z.array(voteAccount),
});
const answer = z.union([
  accounts,
  z.looseObject({ result: accounts }).transform((it) => it.result),
]);

/**
 * Read what Solana's `getVoteAccounts` answers, whole or its `result` only.
 *
 * Delinquent accounts belong to it: the denominator is all stake, silent or not.
 *
 * @throws {@link ProtocolError} `snapshot_invalid` for another shape, `stake_invalid` for an amount
 *   that is not a whole number of lamports.
 * @see https://solana.com/docs/rpc/http/getvoteaccounts
 */
export function parseVoteAccounts(bytes: Uint8Array): readonly SnapshotRow[] {
  const { current, delinquent } = parseShape(
    answer,
    parseExactly(utf8Decode(bytes)),
    'snapshot_invalid',
    'getVoteAccounts',
  );
  return [...current, ...delinquent].map(({ nodePubkey, votePubkey, activatedStake }) => ({
    identity: nodePubkey,
    voteAccount: votePubkey,
    stake: parseLamports(activatedStake.text),
  }));
}

function parseExactly(text: string): unknown {
  // Newer than TypeScript's library: the reviver's third argument has a primitive's source text.
  const reviver = (_key: string, value: unknown, context?: { source: string }): unknown =>
    typeof value === 'number' && context !== undefined ? new ExactNumber(context.source) : value;
  try {
    return JSON.parse(text, reviver);
  } catch {
    throw new ProtocolError('snapshot_invalid', 'the stake file is neither a snapshot nor JSON');
  }
}
