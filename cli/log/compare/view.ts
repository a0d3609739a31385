import { utf8Decode } from '../../../protocol/encoding/bytes.ts';
import { parseTlogProof } from '../../../protocol/log/tlog-proof.ts';
import type { NetworkContext } from '../../client/http.ts';
import { UsageError } from '../../errors.ts';
import { readInputFile } from '../../home/files.ts';
import { isEvidence, MAX_EVIDENCE_BYTES, parseEvidence, type Evidence } from '../evidence.ts';
import type { LogKeys } from '../log-keys.ts';
import { findSource } from '../open-source.ts';
import { openState } from '../signed-state.ts';
import type { SignedState } from '../succession.ts';
import type { LogSource } from '../source.ts';

/** What somebody was shown of a log. */
export interface View extends SignedState {
  /** As it was named on the command line. */
  readonly name: string;
  /** Where its tiles are, if they are anywhere; a file has none. */
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
  if (text.startsWith('{')) return { name, evidence: readEvidence(name, bytes) };
  const note = text.startsWith('c2sp.org/tlog-proof@') ? parseTlogProof(text).checkpoint : text;
  return { view: { name, ...openState(note, keys) } };
}

function readEvidence(name: string, bytes: Uint8Array): Evidence {
  if (isEvidence(bytes)) return parseEvidence(bytes);
  throw new UsageError(
    `${name} is no view of a log`,
    'name a server, a record, the folder of a log, or a file with a checkpoint, a .tlog-proof or evidence',
  );
}
