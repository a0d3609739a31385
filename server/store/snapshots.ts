import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';

import type { Kysely } from 'kysely';

import { formatInstant } from '../../protocol/encoding/time.ts';
import { MAX_SNAPSHOT_BYTES } from '../../protocol/stake/snapshot.ts';
import type { SnapshotStore } from '../services/snapshots.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { ContentFiles } from './files.ts';
import { appendLeaves } from './openings.ts';
import type { Schema } from './schema.ts';

export function snapshotStore(
  reader: Kysely<Schema>,
  commits: CommitQueue,
  files: ContentFiles,
  now: () => number,
): SnapshotStore {
  const columns = ['sha256', 'network', 'point'] as const;
  return {
    findLatestSnapshot: () =>
      reader
        .selectFrom('snapshots')
        .select(columns)
        .orderBy('seq', 'desc')
        .limit(1)
        .executeTakeFirst(),

    findSnapshot: (sha256) =>
      reader
        .selectFrom('snapshots')
        .select(columns)
        .where('sha256', '=', sha256)
        .executeTakeFirst(),

    readSnapshot: (sha256) => readFile(files.pathOf(sha256)),

    async addSnapshot({ sha256, network, point }, bytes, leaf) {
      await files.write(sha256, Readable.from([bytes]), { maxBytes: MAX_SNAPSHOT_BYTES });
      await commits.run(async (tx) => {
        const postedAt = formatInstant(now());
        const { last } = await tx
          .selectFrom('snapshots')
          .select(({ fn }) => fn.max<number | null>('seq').as('last'))
          .executeTakeFirstOrThrow();
        const row = { sha256, seq: (last ?? 0) + 1, network, point, posted_at: postedAt };
        await tx.insertInto('snapshots').values(row).execute();
        await appendLeaves(tx, [leaf], postedAt);
      });
    },
  };
}
