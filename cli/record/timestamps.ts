import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Leaf } from '../../protocol/log/leaf.ts';
import {
  parseTimestampIndex,
  TIMESTAMPS,
  type TimestampedCheckpoint,
} from '../../protocol/log/timestamps.ts';
import type { Client } from '../client/client.ts';

/**
 * Take along what a timestamping authority has said of a log: the first token that covers the
 * commitment, which dates it, and the last one up to the record's checkpoint. Nothing is verified.
 *
 * @param leaves - All of them, up to the record's checkpoint.
 * @returns None when the server has none.
 * @throws {@link ProtocolError} when the server lists what it does not have.
 */
export async function downloadTimestamps(
  client: Pick<Client, 'findTimestamp'>,
  leaves: readonly Leaf[],
  commitment: string,
): Promise<readonly TimestampedCheckpoint[]> {
  const index = await client.findTimestamp(TIMESTAMPS.index);
  if (index === undefined) return [];
  const first = leaves.findIndex((it) => it.type === 'commitment' && it.sha256 === commitment);
  if (first < 0) throw new ProtocolError('leaf_invalid', 'the log does not have the commitment');
  const covering = parseTimestampIndex(utf8Decode(index)).filter(
    (size) => size > first && size <= leaves.length,
  );
  const chosen = new Set([...covering.slice(0, 1), ...covering.slice(-1)]);
  const find = async (path: string): Promise<Uint8Array> => {
    const bytes = await client.findTimestamp(path);
    if (bytes === undefined) {
      throw new ProtocolError('proof_invalid', `the server lists ${path} and does not have it`);
    }
    return bytes;
  };
  const found: TimestampedCheckpoint[] = [];
  for (const size of chosen) {
    const checkpoint = await find(TIMESTAMPS.checkpoint(size));
    found.push({ size, checkpoint, token: await find(TIMESTAMPS.token(size)) });
  }
  return found;
}
