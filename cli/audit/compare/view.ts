import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { utf8Decode } from '../../../protocol/encoding/bytes.ts';
import { parseTlogProof } from '../../../protocol/log/tlog-proof.ts';
import type { NetworkContext } from '../../client/http.ts';
import { UsageError } from '../../errors.ts';
import { readInputFile } from '../../home/files.ts';
import { INDEX_PATH } from '../../record/record-index.ts';
import { MAX_EVIDENCE_BYTES, parseEvidence, type Evidence } from '../evidence.ts';
import type { LogKeys } from '../log-keys.ts';
import { isUrl, openSource } from '../open-source.ts';
import { openState } from '../signed-state.ts';
import type { SignedState } from '../succession.ts';
import { directorySource, type LogSource } from '../tree/source.ts';

/** What somebody was shown of a log. */
export interface View extends SignedState {
  /** As it was named on the command line. */
  readonly name: string;
  /** Where its tiles are, if they are anywhere. */
  readonly source?: LogSource | undefined;
}

/** What a word on the command line stands for. */
export type Named =
  { readonly view: View } | { readonly evidence: Evidence; readonly name: string };

/**
 * Open a view: the URL of a server, a record, the folder of a log, or a file with a checkpoint, a
 * `.tlog-proof` or evidence.
 *
 * @throws {@link ProtocolError} when its checkpoint is not by this log.
 */
export async function openNamed(
  context: NetworkContext,
  name: string,
  keys: LogKeys,
): Promise<Named> {
  const source = findSource(context, name);
  if (source !== undefined) {
    return { view: { name, source, ...openState(await source.checkpoint(), keys) } };
  }
  const bytes = await readInputFile(name, MAX_EVIDENCE_BYTES);
  const text = utf8Decode(bytes);
  if (text.startsWith('{')) return { name, evidence: parseEvidence(bytes) };
  const note = text.startsWith('c2sp.org/tlog-proof@') ? parseTlogProof(text).checkpoint : text;
  return { view: { name, ...openState(note, keys) } };
}

/** The tiles behind a name; undefined for a file. */
export function findSource(context: NetworkContext, name: string): LogSource | undefined {
  if (isUrl(name)) return openSource(context, name);
  if (!(statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false)) return undefined;
  return directorySource(existsSync(join(name, INDEX_PATH)) ? join(name, 'log') : name);
}

/** As {@link findSource}. @throws {@link UsageError} for a file, which has no tiles. */
export function getSource(context: NetworkContext, name: string): LogSource {
  const source = findSource(context, name);
  if (source !== undefined) return source;
  throw new UsageError(`${name} has no tiles`, 'name a server, a record or the folder of a log');
}
