import { ConfigError } from './config.ts';
import type { CustodyKey } from './services/custody/custodian.ts';
import { readCustodyKey } from './store/custody-key.ts';

/**
 * The key that the configuration names.
 *
 * @throws {@link ConfigError} when there is none: a mistyped path must not pass for a server that
 *   holds nothing.
 */
export async function openCustodyKey(path: string): Promise<CustodyKey> {
  try {
    return await readCustodyKey(path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    throw new ConfigError(`${path} is no custody key; \`card --custody\` makes one`);
  }
}
