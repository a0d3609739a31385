import { join } from 'node:path';

import Database from 'better-sqlite3';

/** Somebody else runs on this data directory. */
export class DataDirectoryLockedError extends Error {
  override readonly name = 'DataDirectoryLockedError';
}

export interface DataDirectoryLock extends Disposable {
  readonly release: () => void;
}

/**
 * Hold a data directory for one process.
 *
 * The lock is SQLite's own on `lock.sqlite`, so the operating system drops it with the process, and
 * no stale file ever has to be removed by hand.
 *
 * @throws {@link DataDirectoryLockedError} at once when another process holds it.
 */
export function lockDataDirectory(directory: string): DataDirectoryLock {
  const database = new Database(join(directory, 'lock.sqlite'), { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) {
      throw new DataDirectoryLockedError(`another process runs on ${directory}`);
    }
    throw error;
  }
  const release = (): void => {
    if (database.open) database.close();
  };
  return { release, [Symbol.dispose]: release };
}
