import type { Transaction } from 'kysely';

import { ServiceError } from '../services/error.ts';
import type { CommitQueue, Outcome } from './commit-queue.ts';
import { inSavepoint } from './commit-queue.ts';
import type { Schema } from './schema.ts';

/** Writes items of one kind; gives one outcome for each, in their order. */
export type WriteGroup<Item, T> = (
  tx: Transaction<Schema>,
  items: readonly Item[],
) => Promise<readonly Outcome<T>[]>;

interface Waiting<Item, T> {
  readonly item: Item;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** Beyond this the caller is told to come back, as the commit queue does. */
const MAX_WAITING = 20_000;

/**
 * Writes items together: all that have come in by the time the commit queue gets to them, in the order
 * in which they came.
 *
 * What has to be asked and written once for many costs each of them little. Should the group fail as a
 * whole, each item is written in a savepoint of its own, so one takes nothing of the others with it.
 */
export class GroupWriter<Item, T> {
  readonly #commits: CommitQueue;
  readonly #write: WriteGroup<Item, T>;
  #waiting: Waiting<Item, T>[] = [];

  constructor(commits: CommitQueue, write: WriteGroup<Item, T>) {
    this.#commits = commits;
    this.#write = write;
  }

  /**
   * Resolves after the commit, never before.
   *
   * @throws {@link ServiceError} as `CommitQueue.run`, and the error that is the item's outcome.
   */
  add(item: Item): Promise<T> {
    if (this.#waiting.length >= MAX_WAITING) {
      return Promise.reject(new ServiceError('unavailable', 'not accepting writes'));
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#waiting.length === 1) void this.#commit();
    });
  }

  async #commit(): Promise<void> {
    let group: readonly Waiting<Item, T>[] = [];
    try {
      const outcomes = await this.#commits.run((tx) => {
        // Not before: while the queue waits and flushes others, the group grows.
        group = this.#waiting.splice(0);
        return this.#writeAll(
          tx,
          group.map(({ item }) => item),
        );
      });
      group.forEach(({ resolve, reject }, i) => {
        const outcome = outcomes[i] ?? { error: new Error('an item has no outcome') };
        if ('error' in outcome) reject(outcome.error);
        else resolve(outcome.value);
      });
    } catch (error) {
      // The queue is full or closed and has not run anything, or the batch was not stored.
      const failed = group.length > 0 ? group : this.#waiting.splice(0);
      for (const { reject } of failed) reject(error);
    }
  }

  async #writeAll(tx: Transaction<Schema>, items: readonly Item[]): Promise<readonly Outcome<T>[]> {
    const together = await inSavepoint(tx, () => this.#write(tx, items));
    if ('value' in together) return together.value;
    const outcomes: Outcome<T>[] = [];
    for (const item of items) {
      const alone = await inSavepoint(tx, () => this.#write(tx, [item]));
      outcomes.push(...('value' in alone ? alone.value : [alone]));
    }
    return outcomes;
  }
}
