import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Database } from 'better-sqlite3';

/** Where the numbered files lie: beside `server/`, or beside the folder of the compiled program. */
export const MIGRATIONS =
  ['../../migrations/', '../../../migrations/']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path)) ?? 'migrations';

const NAME = /^\d{4}_[a-z0-9_]+\.sql$/;

/** A migration was changed after it had been applied, or one is missing in between. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

interface Migration {
  readonly name: string;
  readonly sha256: string;
  readonly sql: string;
}

/**
 * Bring a database to the latest schema, each file in a transaction of its own.
 *
 * Files applied earlier must still have the content they had then. Names that only a newer release
 * knows are left alone, so the release before still starts.
 *
 * @returns The names applied now.
 * @throws {@link MigrationError}
 */
export function migrate(database: Database, directory: string = MIGRATIONS): string[] {
  database.exec(
    `CREATE TABLE IF NOT EXISTS migrations (
       name   TEXT PRIMARY KEY,
       sha256 TEXT NOT NULL CHECK (length(sha256) = 64)
     )`,
  );
  const applied = new Map(
    (
      database.prepare('SELECT name, sha256 FROM migrations').all() as {
        name: string;
        sha256: string;
      }[]
    ).map((row) => [row.name, row.sha256]),
  );
  const pending: Migration[] = [];
  for (const migration of readMigrations(directory)) {
    const known = applied.get(migration.name);
    if (known === undefined) {
      pending.push(migration);
    } else if (known !== migration.sha256) {
      throw new MigrationError(`${migration.name} was changed after it had been applied`);
    } else if (pending.length > 0) {
      throw new MigrationError(`${pending[0]?.name ?? ''} is older than an applied migration`);
    }
  }
  const insert = database.prepare('INSERT INTO migrations (name, sha256) VALUES (?, ?)');
  for (const { name, sha256, sql } of pending) {
    database.transaction(() => {
      database.exec(sql);
      insert.run(name, sha256);
    })();
  }
  return pending.map(({ name }) => name);
}

function readMigrations(directory: string): Migration[] {
  const names = readdirSync(directory).filter((name) => name.endsWith('.sql'));
  const odd = names.find((name) => !NAME.test(name));
  if (odd !== undefined) throw new MigrationError(`${odd} is not named like 0001_what.sql`);
  return names.sort().map((name) => {
    const bytes = readFileSync(join(directory, name));
    return {
      name,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      sql: bytes.toString('utf8'),
    };
  });
}
