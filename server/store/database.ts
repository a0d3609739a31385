import { join } from 'node:path';

import Database from 'better-sqlite3';
import { Kysely, type SqliteDatabase, SqliteDialect } from 'kysely';

import { migrate } from './migrator.ts';
import type { Schema } from './schema.ts';

/**
 * The one database, through two connections.
 *
 * `writer` belongs to the commit queue. `reader` cannot write and, in WAL mode, sees committed rows
 * only, so no answer is ever built on a row that may still be rolled back.
 */
export interface Databases {
  readonly writer: Kysely<Schema>;
  readonly reader: Kysely<Schema>;
  close(): Promise<void>;
}

/** The database is there, but cannot be relied on. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
}

/** Statements that a connection keeps prepared. */
const MAX_PREPARED = 500;

/** @throws {@link DatabaseError} when the file is damaged or a pragma did not take effect. */
export function openDatabases(directory: string): Databases {
  const path = join(directory, 'sealdrop.sqlite');
  const main = openConnection(path);
  try {
    if (main.pragma('quick_check(1)', { simple: true }) !== 'ok') {
      throw new DatabaseError('sealdrop.sqlite is damaged; nothing was changed, restore it');
    }
    migrate(main);
  } catch (error) {
    main.close();
    throw error;
  }
  const second = openConnection(path);
  requirePragma(second, 'query_only', 1);
  const writer = kysely(main);
  const reader = kysely(second);
  return {
    writer,
    reader,
    async close() {
      await reader.destroy();
      await writer.destroy();
      // Kysely closes only what it has used.
      if (second.open) second.close();
      if (main.open) main.close();
    },
  };
}

/** SQLite forgets all of these when a file is closed, `synchronous` silently. */
function openConnection(path: string): Database.Database {
  const database = new Database(path, { timeout: 5_000 });
  requirePragma(database, 'journal_mode', 'wal');
  requirePragma(database, 'synchronous', 2);
  requirePragma(database, 'foreign_keys', 1);
  requirePragma(database, 'trusted_schema', 0);
  // What is deleted is overwritten: a share that was forgotten does not stay in a free page.
  requirePragma(database, 'secure_delete', 1);
  return database;
}

function requirePragma(database: Database.Database, name: string, value: string | number): void {
  database.pragma(`${name} = ${value}`);
  const actual = database.pragma(name, { simple: true });
  if (actual !== value) throw new DatabaseError(`${name} is ${String(actual)}, not ${value}`);
}

function kysely(database: Database.Database): Kysely<Schema> {
  return new Kysely<Schema>({ dialect: new SqliteDialect({ database: withPrepared(database) }) });
}

/** Kysely prepares every query anew; the texts repeat, so the statements are kept. */
function withPrepared(database: Database.Database): SqliteDatabase {
  const prepared = new Map<string, Database.Statement>();
  return {
    close: () => {
      database.close();
    },
    prepare(sql) {
      const known = prepared.get(sql);
      if (known !== undefined) return known;
      const statement = database.prepare(sql);
      const [oldest] = prepared.keys();
      if (prepared.size >= MAX_PREPARED && oldest !== undefined) prepared.delete(oldest);
      prepared.set(sql, statement);
      return statement;
    },
  };
}
