import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { WitnessedLog } from '../../protocol/log/witness-verdict.ts';
import { NOTE_ED25519, parseVerifierKey } from '../../protocol/signature/verifier-key.ts';
import type { NoteVerifier } from '../../protocol/signature/verifier-key.ts';
import { UsageError } from '../errors.ts';
import { readInputFile } from '../home/files.ts';

const MAX_LOGS = 10_000;
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/**
 * The logs that a witness follows, by origin.
 *
 * @param vkeys - One key each, whose name is the log's origin.
 * @param file - Further ones, a line each: the key and, if the origin is not its name, the origin.
 *   Empty lines and those that start with `#` do not count.
 * @throws {@link UsageError} naming what is wrong, or when there is no log at all.
 */
export async function readLogs(
  vkeys: readonly string[],
  file: string | undefined,
): Promise<ReadonlyMap<string, WitnessedLog>> {
  const listed = vkeys.map((vkey) => ({ where: '--log', text: vkey }));
  if (file !== undefined) {
    const lines = utf8Decode(await readInputFile(file, MAX_FILE_BYTES)).split('\n');
    for (const [index, text] of lines.entries()) {
      if (text !== '' && !text.startsWith('#')) listed.push({ where: `line ${index + 1}`, text });
    }
  }
  const logs = new Map<string, WitnessedLog>();
  for (const { where, text } of listed) {
    const { key, origin } = readLog(where, text);
    const known = logs.get(origin)?.keys ?? [];
    if (known.some((it) => it.name === key.name && it.keyId === key.keyId)) {
      throw new UsageError(`${where}: that key of ${origin} is listed already`);
    }
    logs.set(origin, { origin, keys: [...known, key] });
  }
  if (logs.size === 0) throw new UsageError('a witness needs a log', 'give --log VKEY, or --logs');
  if (logs.size > MAX_LOGS) throw new UsageError(`more than ${MAX_LOGS} logs`);
  return logs;
}

function readLog(where: string, text: string): { key: NoteVerifier; origin: string } {
  const [, vkey = '', origin] = /^([^ ]+)(?: ([^ ].*))?$/.exec(text) ?? [];
  try {
    const key = parseVerifierKey(vkey);
    if (key.type === NOTE_ED25519) return { key, origin: origin ?? key.name };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new UsageError(`${where}: ${error.message}`, 'one looks like origin+1234abcd+Base64');
  }
  throw new UsageError(`${where}: that is the key of a witness`, 'logs have keys of type 01');
}
