import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { sha256Hex, utf8Encode } from '../../protocol/encoding/bytes.ts';
import type {
  NewStatement,
  StatementStore,
} from '../../server/services/adoption/statement-store.ts';
import { CommitQueue } from '../../server/store/commit-queue.ts';
import type { Databases } from '../../server/store/database.ts';
import { openDatabases } from '../../server/store/database.ts';
import { statementStore } from '../../server/store/statements.ts';

const AT = '2026-11-20T14:00:00.000Z';
const PLAN = 'a'.repeat(64);
const ALICE = 'b'.repeat(64);
const BOB = 'c'.repeat(64);

/** A statement whose envelope is `text`; each is sealed anew. */
function statement(
  operator: string,
  counter: number,
  text = `${operator} ${counter}`,
): NewStatement {
  const opening = `${text} ${Math.random()}`;
  return {
    campaign: 'one',
    operator,
    kind: 'ack',
    revision: 1,
    counter,
    digest: sha256Hex(utf8Encode(text)),
    envelope: text,
    entry: {
      campaign: 'one',
      kind: 'statement',
      digest: sha256Hex(utf8Encode(opening)),
      opening,
      receipt: `receipt of ${opening}`,
      acceptedAt: AT,
    },
  };
}

describe('statements that are stored together', () => {
  let folder: string;
  let databases: Databases;
  let queue: CommitQueue;
  let store: StatementStore;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealdrop-statements-'));
    databases = openDatabases(folder);
    queue = new CommitQueue(databases.writer, { flushMs: 1, onFatal: () => undefined });
    store = statementStore(databases.reader, queue);
    await queue.run(async (tx) => {
      const plan = { digest: PLAN, campaign: 'one', revision: 1, bytes: '', stored_at: AT };
      await tx.insertInto('plans').values(plan).execute();
      const campaign = { id: 'one', plan: PLAN, status: 'armed', sequence: 0, root_version: 1 };
      const numbers = { released: 0, events: 0, break_glass: 0 };
      const times = { release_time: AT, latest_disclosure: AT, created_at: AT };
      await tx
        .insertInto('campaigns')
        .values({ ...campaign, ...numbers, ...times })
        .execute();
    });
  });
  afterEach(async () => {
    await queue.close();
    await databases.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** What becomes of each: `added`, `known` or the code of the error. */
  const addAll = (statements: readonly NewStatement[]): Promise<string[]> =>
    Promise.all(
      statements.map((one) =>
        store.addStatement(one).then(
          ({ added }) => (added ? 'added' : 'known'),
          (error: unknown) => (error as { code?: string }).code ?? String(error),
        ),
      ),
    );
  const counters = async (): Promise<string[]> =>
    (await store.listKinds('one')).map(({ operator, counter }) => `${operator[0] ?? ''}${counter}`);

  it('are judged as if they had come one by one', async () => {
    const outcomes = await addAll([
      statement(ALICE, 2),
      statement(BOB, 1),
      statement(ALICE, 2),
      statement(ALICE, 2, 'something else'),
      statement(ALICE, 1),
      statement(ALICE, 5),
      statement(BOB, 1),
    ]);
    assert.deepEqual(outcomes, [
      'added',
      'added',
      'known',
      'conflict',
      'conflict',
      'added',
      'known',
    ]);
    assert.deepEqual(await counters(), ['b2', 'c1', 'b5']);
    assert.deepEqual(await addAll([statement(ALICE, 2), statement(ALICE, 4)]), [
      'known',
      'conflict',
    ]);
  });

  it('fail alone when one of them cannot be stored', async () => {
    const outcomes = await addAll([
      statement(ALICE, 1),
      { ...statement(BOB, 1), campaign: 'unknown' },
      statement(BOB, 2),
      { ...statement(BOB, 3), operator: 'short' },
      statement(ALICE, 2),
    ]);
    assert.deepEqual(
      outcomes.map((outcome) => outcome === 'added'),
      [true, false, true, false, true],
    );
    assert.deepEqual(await counters(), ['b1', 'c2', 'b2']);
  });

  it('are no more of one operator than there may be', async () => {
    const [far] = await addAll([statement(ALICE, 1000)]);
    assert.equal(far, 'added');
    const many = Array.from({ length: 250 }, (_, i) => statement(ALICE, 1001 + i));
    const outcomes = await addAll([...many, statement(BOB, 1), many[0] ?? statement(ALICE, 1001)]);
    const expected = many.map((_, i) => (i < 199 ? 'added' : 'too_many_requests'));
    assert.deepEqual(outcomes, [...expected, 'added', 'known']);
    assert.equal(await store.countStatements('one', ALICE), 200);
    assert.deepEqual(await addAll([statement(ALICE, 2000)]), ['too_many_requests']);
  });
});
