import assert from 'node:assert/strict';
import { appendFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import Database from 'better-sqlite3';

import { openDatabases } from '../../server/store/database.ts';
import { migrate, MIGRATIONS } from '../../server/store/migrator.ts';

const SCHEMA_FILES = ['../../server/store/schema.ts', '../../server/store/log/schema.ts'];

describe('migrations', () => {
  let folder: string;
  let database: Database.Database;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealdrop-migrations-'));
    await cp(MIGRATIONS, join(folder, 'sql'), { recursive: true });
    database = new Database(join(folder, 'test.sqlite'));
    database.pragma('foreign_keys = 1');
  });
  afterEach(async () => {
    database.close();
    await rm(folder, { recursive: true, force: true });
  });
  const sql = (name = ''): string => join(folder, 'sql', name);

  interface Column {
    readonly name: string;
    readonly type: string;
    readonly notnull: number;
  }
  /** Table → columns, as the database has them. */
  const columns = (): Map<string, Column[]> => {
    const tables = database
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'migrations'")
      .all() as { name: string }[];
    return new Map(
      tables.map(({ name }) => [name, database.pragma(`table_info(${name})`) as Column[]]),
    );
  };

  it('lead from an empty database to the latest schema, each once', async () => {
    const names = (await readdir(MIGRATIONS)).sort();
    assert.deepEqual(migrate(database), names);
    assert.deepEqual(migrate(database), []);
    assert.ok(columns().size > 15);
  });

  it('use only what SQLite and PostgreSQL share: TEXT and BIGINT', () => {
    migrate(database);
    for (const [table, its] of columns()) {
      for (const { name, type } of its) {
        assert.ok(['TEXT', 'BIGINT'].includes(type), `${table}.${name} is ${type}`);
      }
    }
  });

  it('and the Schema interface name the same columns, equally nullable', async () => {
    migrate(database);
    const texts = await Promise.all(
      SCHEMA_FILES.map((path) => readFile(fileURLToPath(new URL(path, import.meta.url)), 'utf8')),
    );
    const declared = new Map<string, Map<string, string>>();
    for (const [, table = '', body = ''] of texts
      .join('\n')
      .matchAll(/^ {2}(\w+): \{([^}]*)\};?$/gm)) {
      const fields = [...body.matchAll(/(\w+): ([^;]+)(?:;|$)/g)];
      declared.set(table, new Map(fields.map(([, name = '', type = '']) => [name, type.trim()])));
    }
    const actual = columns();
    assert.deepEqual([...declared.keys()].sort(), [...actual.keys()].sort());
    for (const [table, its] of actual) {
      const fields = declared.get(table) ?? new Map<string, string>();
      assert.deepEqual(
        its.map(({ name }) => name),
        [...fields.keys()],
        table,
      );
      for (const { name, type, notnull } of its) {
        const text = fields.get(name) ?? '';
        assert.equal(text.includes('number'), type === 'BIGINT', `${table}.${name}: ${text}`);
        const isKey = (
          database.pragma(`table_info(${table})`) as { name: string; pk: number }[]
        ).some((column) => column.name === name && column.pk > 0);
        assert.equal(text.includes('null'), notnull === 0 && !isKey, `${table}.${name}: ${text}`);
      }
    }
  });

  it('refuse to go on when one that was applied has changed', async () => {
    migrate(database, sql());
    await appendFile(sql('0001_service.sql'), '-- a harmless comment\n');
    assert.throws(() => migrate(database, sql()), /0001_service\.sql was changed/);
  });

  it('refuse one that comes in between those applied', async () => {
    migrate(database, sql());
    await writeFile(sql('0002_a_late_one.sql'), 'CREATE TABLE late (a TEXT);');
    assert.throws(() => migrate(database, sql()), /0002_a_late_one\.sql is older/);
    assert.equal(columns().has('late'), false);
  });

  it('are applied whole or not at all', async () => {
    await writeFile(
      sql('9000_broken.sql'),
      'CREATE TABLE half (a TEXT); CREATE TABLE half (a TEXT);',
    );
    assert.throws(() => migrate(database, sql()), /already exists/);
    assert.equal(columns().has('half'), false);
    assert.equal(columns().has('campaigns'), true);
    await writeFile(sql('9000_broken.sql'), 'CREATE TABLE half (a TEXT);');
    assert.deepEqual(migrate(database, sql()), ['9000_broken.sql']);
  });

  it('leave alone what only a newer release knows', async () => {
    await writeFile(sql('9000_newer.sql'), 'CREATE TABLE newer (a TEXT);');
    migrate(database, sql());
    assert.deepEqual(migrate(database, MIGRATIONS), []);
    assert.equal(columns().has('newer'), true);
  });

  it('keep the rows of a database that is opened again', async () => {
    const first = openDatabases(folder);
    await first.writer
      .insertInto('blobs')
      .values({ sha256: 'a'.repeat(64), size: 1, stored_at: '2026-11-20T12:00:00.000Z' })
      .execute();
    await first.close();
    const second = openDatabases(folder);
    const rows = await second.reader.selectFrom('blobs').select('sha256').execute();
    await second.close();
    assert.deepEqual(rows, [{ sha256: 'a'.repeat(64) }]);
  });
});
