import { utf8Decode } from '../encoding/bytes.ts';
import { ProtocolError } from '../errors.ts';
import { checkAddress } from './identity.ts';
import { MAX_SNAPSHOT_BYTES, parseLamports } from './snapshot.ts';

/** A vote account and its activated stake in lamports, from a table that names no identities. */
export interface StakeRow {
  /** Base58 of 32 bytes. */
  readonly account: string;
  readonly stake: bigint;
}

/**
 * Read a bare table of stakes: comment lines starting with `# `, then lines of a vote account, one
 * space and lamports, in any order, each ended by a newline.
 *
 * @throws {@link ProtocolError} `too_large` above 32 MiB; `snapshot_invalid` for another line or an
 *   account that is there twice; `stake_invalid` for an amount that is not an exact decimal.
 */
export function parseStakeTable(bytes: Uint8Array): readonly StakeRow[] {
  if (bytes.length > MAX_SNAPSHOT_BYTES) throw new ProtocolError('too_large', 'stake table');
  const lines = utf8Decode(bytes).split('\n');
  if (lines.pop() !== '') {
    throw new ProtocolError('snapshot_invalid', 'a stake table ends with a newline');
  }
  const headerLines = lines.findIndex((line) => !line.startsWith('# '));
  const rows = headerLines < 0 ? [] : lines.slice(headerLines).map(parseRow);
  if (new Set(rows.map(({ account }) => account)).size !== rows.length) {
    throw new ProtocolError('snapshot_invalid', 'a stake table names an account twice');
  }
  return rows;
}

function parseRow(line: string): StakeRow {
  const [account, stake, ...rest] = line.split(' ');
  if (!account || stake === undefined || rest.length > 0) {
    throw new ProtocolError('snapshot_invalid', 'a row is a vote account and lamports');
  }
  checkAddress(account);
  return { account, stake: parseLamports(stake) };
}
