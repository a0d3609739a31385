import type { Envelope } from '../../protocol/signature/dsse.ts';
import { LIMIT } from '../../protocol/record/layout.ts';
import { parseEnvelopeLines } from '../../protocol/record/lines.ts';
import { demand, type Audit } from './check.ts';

/**
 * Read the envelopes of one file of the record, which stand there as the log has them.
 *
 * @param noun - What each of them is, for messages: `review`.
 * @param read - Verifies one and finds its leaf.
 */
export async function readInLogOrder<T extends { readonly index: number }>(
  audit: Audit,
  path: string,
  noun: string,
  read: (envelope: Envelope, what: string) => T,
): Promise<readonly T[]> {
  const found: T[] = [];
  const envelopes = parseEnvelopeLines(await audit.files.read(path, LIMIT.small));
  for (const [i, envelope] of envelopes.entries()) {
    const what = `${noun} ${i + 1}`;
    const before = found.at(-1);
    const one = read(envelope, what);
    demand(before === undefined || before.index < one.index, `${what} is not in the log’s order`);
    found.push(one);
  }
  return found;
}
