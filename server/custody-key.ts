import { realpathSync } from 'node:fs';
import { dirname, sep } from 'node:path';

import type { Config } from './config.ts';
import { ConfigError } from './config.ts';
import type { CustodyKey } from './services/custody/custodian.ts';
import { makeCustodyKey, readCustodyKey } from './store/custody-key.ts';

type Place = Pick<Config, 'custodyFile' | 'dataDirectory'>;

/**
 * The key that the configuration names; `undefined` where it names none.
 *
 * @throws {@link ConfigError} when there is none: a mistyped path must not pass for a server that
 *   holds nothing. Also when a link leads into the data directory.
 */
export async function openCustodyKey({
  custodyFile,
  dataDirectory,
}: Place): Promise<CustodyKey | undefined> {
  if (custodyFile === undefined) return undefined;
  requireApart(custodyFile, dataDirectory);
  try {
    return await readCustodyKey(custodyFile);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new ConfigError(`${custodyFile} is no custody key; \`card --custody\` makes one`);
  }
}

/** @throws {@link ConfigError} when there is a key already, or nowhere to put one. */
export async function createCustodyKey({ custodyFile, dataDirectory }: Place): Promise<void> {
  if (custodyFile === undefined) {
    throw new ConfigError('SEALDROP_CUSTODY must name the file for the custody key');
  }
  requireApart(custodyFile, dataDirectory);
  await makeCustodyKey(custodyFile);
}

/** A copy of the data directory must not hold it, wherever links lead. */
function requireApart(path: string, dataDirectory: string): void {
  const data = `${realpathSync(dataDirectory)}${sep}`;
  for (const place of [path, dirname(path)]) {
    if (`${findRealPath(place) ?? ''}${sep}`.startsWith(data)) {
      throw new ConfigError('SEALDROP_CUSTODY must be outside of the data directory');
    }
  }
}

function findRealPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
