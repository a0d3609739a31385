import type { Kysely } from 'kysely';

import type { PublicationStore } from '../services/publications/publications.ts';
import type { Schema } from './schema.ts';

export function publicationStore(reader: Kysely<Schema>): PublicationStore {
  return {
    listPublications: (campaign) =>
      reader
        .selectFrom('publications')
        .innerJoin('openings', 'openings.digest', 'publications.opening')
        .select([
          'publications.kind',
          'publications.officer',
          'publications.subject',
          'publications.digest',
          'publications.envelope',
          'publications.receipt',
          'openings.opening',
        ])
        .where('publications.campaign', '=', campaign)
        .orderBy('openings.queue_seq')
        .execute(),
  };
}
