import type { Kysely } from 'kysely';

import { formatInstant } from '../../protocol/encoding/time.ts';
import { AGE_PREFIX } from '../services/age-file.ts';
import type { BlobStore } from '../services/campaign/blobs.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { ContentFiles } from './files.ts';
import type { Schema } from './schema.ts';

export function blobStore(
  reader: Kysely<Schema>,
  commits: CommitQueue,
  files: ContentFiles,
  options: { readonly maxBytes: number; readonly now: () => number },
): BlobStore {
  return {
    async findBlob(sha256) {
      const row = await reader
        .selectFrom('blobs')
        .select('size')
        .where('sha256', '=', sha256)
        .executeTakeFirst();
      return row && { path: files.pathOf(sha256), size: row.size };
    },

    async addBlob(sha256, content) {
      const { maxBytes, now } = options;
      const size = await files.write(sha256, content, { maxBytes, prefix: AGE_PREFIX });
      // Last, so that a row is a promise that the file is there.
      await commits.run(async (tx) => {
        await tx
          .insertInto('blobs')
          .values({ sha256, size, stored_at: formatInstant(now()) })
          .onConflict((conflict) => conflict.column('sha256').doNothing())
          .execute();
      });
    },
  };
}
