import { parseVerifierKey, type NoteVerifier } from '../../protocol/signature/verifier-key.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import { loadTrust } from '../client/trust.ts';
import { UsageError } from '../errors.ts';
import type { Home } from '../home/home.ts';

/** By which keys a log is judged. */
export interface LogKeys {
  /** Of the log itself; its name is the log's origin. */
  readonly log: NoteVerifier;
  readonly witnesses: readonly NoteVerifier[];
  /** Where they come from, unless they were typed. */
  readonly root?: TrustRoot;
}

/**
 * The keys of the log that a command is about.
 *
 * @param vkey - As typed behind `--key`; without it those of the root that this home trusts.
 * @throws {@link UsageError} when there is neither.
 */
export async function findLogKeys(home: Home, vkey: string | undefined): Promise<LogKeys> {
  if (vkey !== undefined) return { log: parseKey(vkey), witnesses: [] };
  if ((await home.findConfig()) === undefined) {
    throw new UsageError(
      'no root is trusted here',
      'run: sealdrop trust add URL --root-sha256 HEX; or give --key with the log’s verifier key',
    );
  }
  const { root } = await loadTrust(home);
  return { log: root.logKey, witnesses: root.witnesses, root };
}

function parseKey(text: string): NoteVerifier {
  try {
    return parseVerifierKey(text.trim());
  } catch (error) {
    throw new UsageError('--key is not a verifier key', 'one looks like name+1a2b3c4d+AX…', {
      cause: error,
    });
  }
}
