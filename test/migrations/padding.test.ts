import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import Database from 'better-sqlite3';

import { migrate, MIGRATIONS } from '../../server/store/migrator.ts';

describe('0007_padding.sql', () => {
  for (const [what, indexes] of [
    ['a log without leaves', []],
    ['a log of three leaves, of which one more waits', [0, 1, 2]],
  ] as const) {
    it(`goes on from ${what}`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'sealdrop-migrations-'));
      const database = new Database(join(folder, 'test.sqlite'));
      try {
        const before = join(folder, 'sql');
        await cp(MIGRATIONS, before, { recursive: true });
        for (const name of await readdir(before)) {
          if (name >= '0007') await rm(join(before, name));
        }
        migrate(database, before);
        for (const seq of [1, 2, 3, 4]) {
          database.prepare('INSERT INTO log_queue VALUES (?, ?, ?)').run(seq, `leaf ${seq}\n`, '');
        }
        for (const index of indexes) {
          database.prepare('INSERT INTO log_leaf VALUES (?, ?, ?)').run(index, '', index + 1);
        }
        migrate(database);
        assert.deepEqual(database.prepare('SELECT * FROM log_numbered').all(), [
          { id: 1, tree_size: indexes.length, queue_seq: indexes.length },
        ]);
      } finally {
        database.close();
        await rm(folder, { recursive: true, force: true });
      }
    });
  }
});
