import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

import Database from 'better-sqlite3';
import { sql } from 'kysely';

import { CommitQueue } from '../../server/store/commit-queue.ts';
import type { Databases } from '../../server/store/database.ts';
import { openDatabases } from '../../server/store/database.ts';

describe('the commit queue', () => {
  let folder: string;
  let databases: Databases;
  let fatal: unknown[];
  let queue: CommitQueue;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealdrop-queue-'));
    databases = openDatabases(folder);
    fatal = [];
    queue = new CommitQueue(databases.writer, {
      flushMs: 1,
      onFatal: (error) => fatal.push(error),
    });
  });
  afterEach(async () => {
    await queue.close();
    await databases.close();
    await rm(folder, { recursive: true, force: true });
  });

  const insert = (n: number): Promise<unknown> =>
    queue.run((tx) =>
      tx
        .insertInto('blobs')
        .values({ sha256: n.toString(16).padStart(64, '0'), size: n, stored_at: '' })
        .execute(),
    );
  const count = async (): Promise<number> => {
    const { n } = await databases.reader
      .selectFrom('blobs')
      .select(({ fn }) => fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow();
    return n;
  };
  it('answers only when the write can be read by others', async () => {
    await insert(1);
    const other = new Database(join(folder, 'sealdrop.sqlite'), { readonly: true });
    assert.deepEqual(other.prepare('SELECT count(*) AS n FROM blobs').get(), { n: 1 });
    other.close();
  });

  it('shares one commit between writes that come together', async () => {
    const commits: string[] = [];
    const writer = databases.writer;
    const counting = new CommitQueue(
      new Proxy(writer, {
        get(target, name) {
          if (name === 'connection') commits.push('begin');
          const value: unknown = Reflect.get(target, name);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      }),
      { flushMs: 5, onFatal: () => undefined },
    );
    await Promise.all(
      Array.from({ length: 500 }, (_, n) =>
        counting.run((tx) =>
          tx
            .insertInto('blobs')
            .values({ sha256: n.toString(16).padStart(64, '0'), size: n, stored_at: '' })
            .execute(),
        ),
      ),
    );
    assert.equal(await count(), 500);
    assert.equal(commits.length, 1);
  });

  it('keeps what others wrote when one of them fails, and tells only that one', async () => {
    const results = await Promise.allSettled([
      insert(1),
      insert(1),
      queue.run(async (tx) => {
        await tx
          .insertInto('blobs')
          .values({ sha256: 'f'.repeat(64), size: 0, stored_at: '' })
          .execute();
        throw new Error('changed my mind');
      }),
      insert(2),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
    );
    assert.equal(await count(), 2);
    assert.deepEqual(fatal, []);
  });

  it('runs work strictly one after the other', async () => {
    const events: string[] = [];
    await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        queue.run(async (tx) => {
          events.push(`${name} begins`);
          await sql`SELECT 1`.execute(tx);
          await new Promise((resolve) => setImmediate(resolve));
          events.push(`${name} ends`);
        }),
      ),
    );
    assert.deepEqual(events, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('shows readers nothing that is not committed', async () => {
    let seenInside = -1;
    await queue.run(async (tx) => {
      await tx
        .insertInto('blobs')
        .values({ sha256: 'a'.repeat(64), size: 0, stored_at: '' })
        .execute();
      seenInside = await count();
    });
    assert.equal(seenInside, 0);
    assert.equal(await count(), 1);
  });

  it('fails the batch but goes on when the disk is full', async () => {
    await insert(1);
    const pages = await sql<{ page_count: number }>`PRAGMA page_count`.execute(databases.writer);
    const limit = pages.rows[0]?.page_count ?? 0;
    await sql`PRAGMA max_page_count = ${sql.lit(limit)}`.execute(databases.writer);
    const big = (name: string): Promise<unknown> =>
      queue.run((tx) =>
        tx
          .insertInto('blobs')
          .values({ sha256: name.repeat(64), size: 0, stored_at: 'x'.repeat(1_000_000) })
          .execute(),
      );
    const results = await Promise.allSettled([insert(2), big('b')]);
    for (const result of results) {
      assert.equal(result.status, 'rejected');
      assert.equal((result.reason as { code: string }).code, 'unavailable');
    }
    assert.equal(await count(), 1);
    assert.deepEqual(fatal, []);
    await sql`PRAGMA max_page_count = 1000000`.execute(databases.writer);
    await insert(2);
    await big('b');
    assert.equal(await count(), 3);
  });

  it('stops for good when it cannot know what was stored', async () => {
    await insert(1);
    const failing = queue.run(() =>
      Promise.reject(Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_FSYNC' })),
    );
    const beside = insert(2);
    await assert.rejects(failing, { code: 'unavailable' });
    await assert.rejects(beside, { code: 'unavailable' });
    assert.equal(fatal.length, 1);
    await assert.rejects(insert(3), { code: 'unavailable' });
    assert.equal(await count(), 1);
  });

  it('stores what is waiting when it is closed, and takes nothing more', async () => {
    const waiting = [insert(1), insert(2)];
    await queue.close();
    await Promise.all(waiting);
    assert.equal(await count(), 2);
    await assert.rejects(insert(3), { code: 'unavailable' });
  });

  it('runs on a database that is synchronous, also when opened again', async () => {
    await databases.close();
    databases = openDatabases(folder);
    for (const db of [databases.writer, databases.reader]) {
      const { rows } = await sql<{ synchronous: number }>`PRAGMA synchronous`.execute(db);
      assert.deepEqual(rows, [{ synchronous: 2 }]);
      const journal = await sql<{ journal_mode: string }>`PRAGMA journal_mode`.execute(db);
      assert.equal(journal.rows[0]?.journal_mode, 'wal');
      const keys = await sql<{ foreign_keys: number }>`PRAGMA foreign_keys`.execute(db);
      assert.equal(keys.rows[0]?.foreign_keys, 1);
    }
    await assert.rejects(
      databases.reader.deleteFrom('blobs').execute(),
      /readonly/,
      'the reader cannot write',
    );
    queue = new CommitQueue(databases.writer, { flushMs: 1, onFatal: () => undefined });
  });
});
