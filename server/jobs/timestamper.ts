import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { flushFolder, writeFileDurably } from '../../platform/files.ts';
import { utf8Encode } from '../../protocol/encoding/bytes.ts';
import type { LogFiles } from '../services/log/store.ts';
import { requestTimestamp, type TimestampDeps } from '../services/log/timestamp.ts';

const DEADLINE_MS = 20_000;

/**
 * Keep tokens of a timestamping authority over the log's checkpoints: `<size>.checkpoint`, as it was
 * published then, and `<size>.tsr` over its bytes. Each covers every leaf up to its size.
 *
 * The log neither waits for this nor looks at it.
 *
 * @param folder - Beside the log's other files.
 * @returns What to do from time to time; it fails when no token came, and may be repeated.
 */
export function timestamper(
  deps: TimestampDeps & {
    readonly files: Pick<LogFiles, 'readCheckpoint'>;
    readonly folder: string;
    /** Ends a question under way when the server stops. */
    readonly signal: AbortSignal;
  },
): () => Promise<void> {
  let last: string | undefined;
  return async () => {
    const note = await deps.files.readCheckpoint();
    if (note === undefined || note === last) return;
    const bytes = utf8Encode(note);
    const signal = AbortSignal.any([deps.signal, AbortSignal.timeout(DEADLINE_MS)]);
    const token = await requestTimestamp(bytes, deps, signal);
    const [, size = ''] = note.split('\n');
    await mkdir(deps.folder, { recursive: true });
    await writeFileDurably(join(deps.folder, `${size}.checkpoint`), bytes);
    await writeFileDurably(join(deps.folder, `${size}.tsr`), token);
    await flushFolder(deps.folder);
    last = note;
  };
}
