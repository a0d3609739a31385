import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { connectTo } from '../client/connect.ts';
import type { NetworkContext } from '../client/http.ts';
import { UsageError } from '../errors.ts';
import { formatServerUrl, parseServerUrl } from '../home/config.ts';
import { INDEX_PATH } from '../../protocol/record/record-index.ts';
import { directorySource, serverSource, type LogSource } from './source.ts';

/** Whether a person means a server rather than something on disk. */
export function isUrl(text: string): boolean {
  return /^https?:/.test(text);
}

/**
 * A log as a person names it: the URL of a server, a record, or a folder with `checkpoint` and `tile/`.
 *
 * @throws {@link UsageError} for a URL that is not accepted, and for what is no folder.
 */
export function openSource(context: NetworkContext, text: string): LogSource {
  const source = findSource(context, text);
  if (source !== undefined) return source;
  throw new UsageError(
    `${text} is neither a URL nor a folder`,
    'name a server, a record, or a folder with checkpoint and tile/',
  );
}

/** As {@link openSource}; undefined for what is no folder. */
export function findSource(context: NetworkContext, text: string): LogSource | undefined {
  if (isUrl(text)) {
    const client = connectTo(context, formatServerUrl(parseServerUrl(text)));
    return serverSource(client, client);
  }
  if (!(statSync(text, { throwIfNoEntry: false })?.isDirectory() ?? false)) return undefined;
  return directorySource(existsSync(join(text, INDEX_PATH)) ? join(text, 'log') : text);
}
