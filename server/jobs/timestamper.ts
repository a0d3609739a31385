import { utf8Encode } from '../../protocol/encoding/bytes.ts';
import { TIMESTAMPS } from '../../protocol/log/timestamps.ts';
import type { LogFiles } from '../services/log/store.ts';
import { requestTimestamp, type TimestampDeps } from '../services/log/timestamp.ts';

const DEADLINE_MS = 20_000;

/**
 * Keep tokens of a timestamping authority over the log's checkpoints, beside the log's other files.
 *
 * A checkpoint that has a token keeps it: the first is the earliest. The log neither waits for this
 * nor looks at it.
 *
 * @returns What to do from time to time; it fails when no token came, and may be repeated.
 */
export function timestamper(
  deps: TimestampDeps & {
    readonly files: Pick<LogFiles, 'readCheckpoint' | 'readTimestamp' | 'writeTimestamp'>;
    /** Ends a question under way when the server stops. */
    readonly signal: AbortSignal;
  },
): () => Promise<void> {
  const { files } = deps;
  return async () => {
    const note = await files.readCheckpoint();
    if (note === undefined) return;
    const size = Number(note.split('\n')[1]);
    if ((await files.readTimestamp(TIMESTAMPS.token(size))) !== undefined) return;
    const signal = AbortSignal.any([deps.signal, AbortSignal.timeout(DEADLINE_MS)]);
    const bytes = utf8Encode(note);
    const token = await requestTimestamp(bytes, deps, signal);
    await files.writeTimestamp(size, bytes, token);
  };
}
