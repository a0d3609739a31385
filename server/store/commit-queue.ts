import { CompiledQuery, type Kysely, type Transaction } from 'kysely';

import { ServiceError } from '../services/error.ts';
import type { Schema } from './schema.ts';

/** Work that wants to be durable: runs inside the transaction that the queue opens. */
export type Work<T> = (tx: Transaction<Schema>) => Promise<T>;

interface Waiting {
  /** Run the work; report its outcome later, once the commit is known. */
  run(tx: Transaction<Schema>): Promise<() => void>;
  fail(error: unknown): void;
}

/** Beyond this the caller is told to come back: an unbounded queue would only hide an overload. */
const MAX_WAITING = 20_000;
const MAX_BATCH = 1_000;

// Built once: every write needs two of them.
const BEGIN = CompiledQuery.raw('BEGIN IMMEDIATE');
const COMMIT = CompiledQuery.raw('COMMIT');
const ROLLBACK = CompiledQuery.raw('ROLLBACK');
const SAVEPOINT = CompiledQuery.raw('SAVEPOINT work');
const RELEASE = CompiledQuery.raw('RELEASE work');
const ROLLBACK_TO = CompiledQuery.raw('ROLLBACK TO work');

/**
 * Group commit: whatever is written within one flush window shares one transaction and one fsync.
 *
 * `run` resolves after the commit, never before. Work runs strictly one after the other, each in
 * its own savepoint, so one that throws takes nothing of the others with it.
 */
export class CommitQueue {
  readonly #writer: Kysely<Schema>;
  readonly #flushMs: number;
  readonly #onFatal: (error: unknown) => void;
  #waiting: Waiting[] = [];
  #flushing: Promise<void> | undefined;
  #closed = false;

  /**
   * @param options.flushMs - How long the first of a batch waits for company.
   * @param options.onFatal - Called when a commit failed with unknown outcome. The process must
   *   stop and recover from disk: retrying an fsync could report success for lost data.
   */
  constructor(
    writer: Kysely<Schema>,
    options: { readonly flushMs: number; readonly onFatal: (error: unknown) => void },
  ) {
    this.#writer = writer;
    this.#flushMs = options.flushMs;
    this.#onFatal = options.onFatal;
  }

  /** @throws {@link ServiceError} `unavailable` when full, closed, or the batch was not stored. */
  run<T>(work: Work<T>): Promise<T> {
    if (this.#closed || this.#waiting.length >= MAX_WAITING) {
      return Promise.reject(new ServiceError('unavailable', 'not accepting writes'));
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({
        async run(tx) {
          const outcome = await inSavepoint(tx, work);
          return () => {
            if ('error' in outcome) reject(outcome.error);
            else resolve(outcome.value);
          };
        },
        fail: reject,
      });
      this.#flushing ??= this.#flush();
    });
  }

  /** Store what is waiting, then refuse everything new. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#flushing;
  }

  async #flush(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.#flushMs));
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH);
      try {
        await this.#commit(batch);
      } catch (error) {
        const known = isDiskFull(error);
        if (!known) this.#closed = true;
        for (const waiting of known ? batch : [...batch, ...this.#waiting.splice(0)]) {
          waiting.fail(new ServiceError('unavailable', 'not stored', { cause: error }));
        }
        if (!known) this.#onFatal(error);
      }
    }
    this.#flushing = undefined;
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    const answers = await this.#writer.connection().execute((connection) =>
      inTransaction(connection, async (tx) => {
        const done: (() => void)[] = [];
        for (const waiting of batch) done.push(await waiting.run(tx));
        return done;
      }),
    );
    for (const answer of answers) answer();
  }
}

/**
 * Kysely's own transaction would hide what went wrong: at a full disk SQLite has rolled back by
 * itself, and rolling back once more is the error that would be reported.
 */
async function inTransaction<T>(connection: Kysely<Schema>, work: Work<T>): Promise<T> {
  await connection.executeQuery(BEGIN);
  try {
    // A connection with a transaction of ours on it, which is all that a `Transaction` says.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
    const value = await work(connection as Transaction<Schema>);
    await connection.executeQuery(COMMIT);
    return value;
  } catch (error) {
    await connection.executeQuery(ROLLBACK).catch(() => undefined);
    throw error;
  }
}

/** What became of work that did not end the batch. */
export type Outcome<T> = { readonly value: T } | { readonly error: Error };

/**
 * Do work that leaves nothing behind when it throws.
 *
 * @throws Whatever says that the database itself failed; that ends the batch, not only the work.
 */
export async function inSavepoint<T>(tx: Transaction<Schema>, work: Work<T>): Promise<Outcome<T>> {
  await tx.executeQuery(SAVEPOINT);
  try {
    const value = await work(tx);
    await tx.executeQuery(RELEASE);
    return { value };
  } catch (error) {
    if (isStorageFailure(error)) throw error;
    await tx.executeQuery(ROLLBACK_TO);
    await tx.executeQuery(RELEASE);
    return { error: error instanceof Error ? error : new Error('work failed', { cause: error }) };
  }
}

function sqliteCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined;
}

/** Anything from SQLite but a broken constraint, which is the work's own mistake. */
function isStorageFailure(error: unknown): boolean {
  const code = sqliteCode(error);
  return code !== undefined && !code.startsWith('SQLITE_CONSTRAINT') && code !== 'SQLITE_ERROR';
}

/** A full disk rolls back cleanly, and writes resume once there is space. */
function isDiskFull(error: unknown): boolean {
  return sqliteCode(error) === 'SQLITE_FULL';
}
