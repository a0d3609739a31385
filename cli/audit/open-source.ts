import { connectTo } from '../client/connect.ts';
import type { NetworkContext } from '../client/http.ts';
import { formatServerUrl, parseServerUrl } from '../home/config.ts';
import { directorySource, serverSource, type LogSource } from './tree/source.ts';

/** Whether a person means a server rather than something on disk. */
export function isUrl(text: string): boolean {
  return /^https?:/.test(text);
}

/**
 * A log as a person names it: the URL of a server, or a folder with `checkpoint` and `tile/`.
 *
 * @throws {@link UsageError} for a URL that is not accepted.
 */
export function openSource(context: NetworkContext, text: string): LogSource {
  if (!isUrl(text)) return directorySource(text);
  const client = connectTo(context, formatServerUrl(parseServerUrl(text)));
  return serverSource(client, client);
}
