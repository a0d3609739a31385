import type { Kysely } from 'kysely';

import { fromHex, toHex } from '../../../protocol/encoding/bytes.ts';
import { HASH_BYTES } from '../../../protocol/log/merkle.ts';
import { ServiceError } from '../../services/error.ts';
import type { HeadStore } from '../../services/log/store.ts';
import type { CommitQueue } from '../commit-queue.ts';
import type { Schema } from '../schema.ts';

/** The head row in the database. */
export function headStore(reader: Kysely<Schema>, commits: Pick<CommitQueue, 'run'>): HeadStore {
  return {
    async find(origin) {
      const row = await reader
        .selectFrom('log_head')
        .select(['tree_size', 'root_hash'])
        .where('origin', '=', origin)
        .executeTakeFirst();
      return row && { origin, size: row.tree_size, root: fromHex(row.root_hash, HASH_BYTES) };
    },

    async create({ origin, size, root }) {
      await commits.run(async (tx) => {
        const other = await tx.selectFrom('log_head').select('origin').executeTakeFirst();
        if (other !== undefined)
          throw new Error(`the database has the log ${other.origin} already`);
        const row = { origin, tree_size: size, root_hash: toHex(root) };
        await tx.insertInto('log_head').values(row).execute();
      });
    },

    // Compare-and-swap in one statement: of two racing writers one loses, so the log cannot fork.
    async advance(from, to) {
      const { numUpdatedRows } = await commits.run((tx) =>
        tx
          .updateTable('log_head')
          .set({ tree_size: to.size, root_hash: toHex(to.root) })
          .where('origin', '=', from.origin)
          .where('tree_size', '=', from.size)
          .where('root_hash', '=', toHex(from.root))
          .executeTakeFirst(),
      );
      if (numUpdatedRows !== 1n) throw new ServiceError('conflict', 'log head has moved');
    },
  };
}
