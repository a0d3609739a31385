import { join } from 'node:path';

import type { Config } from './config.ts';
import type { StatementStore } from './services/adoption/statement-store.ts';
import type { BlobStore } from './services/campaign/blobs.ts';
import type { DirectiveStore } from './services/campaign/directive-store.ts';
import type { EventStore } from './services/campaign/events.ts';
import type { PublicationStore } from './services/publications/publications.ts';
import type { CampaignStore } from './services/campaign/registry.ts';
import type { MessageStore } from './services/contact/messages.ts';
import type { OutboxStore } from './services/contact/outbox.ts';
import type { CustodyStore } from './services/custody/custodian.ts';
import type { AccountingStore, DummyStore } from './services/disclosure/accounting.ts';
import type { CommitmentStore, DisclosureStore } from './services/disclosure/published.ts';
import type { EndorsementStore } from './services/endorsements/endorsements.ts';
import type { EnrolmentStore } from './services/enrolment/enrolment.ts';
import type { HeadStore, LeafStore, LogFiles } from './services/log/store.ts';
import type { ReviewStore } from './services/reviews/reviews.ts';
import type { SnapshotStore } from './services/snapshots.ts';
import type { TufFiles } from './services/trust/tuf.ts';
import { accountingStore, dummyStore } from './store/accounting.ts';
import { blobStore } from './store/blobs.ts';
import { campaignStore } from './store/campaigns.ts';
import { CommitQueue } from './store/commit-queue.ts';
import { custodyStore } from './store/custody.ts';
import { openDatabases } from './store/database.ts';
import { directiveStore } from './store/directives.ts';
import { endorsementStore } from './store/endorsements.ts';
import { enrolmentStore } from './store/enrolments.ts';
import { eventStore } from './store/events.ts';
import { contentFiles } from './store/files.ts';
import { logFiles } from './store/log/files.ts';
import { headStore } from './store/log/head.ts';
import { leafStore } from './store/log/leaves.ts';
import { messageStore } from './store/messages.ts';
import { outboxStore } from './store/outbox.ts';
import { publicationStore } from './store/publications.ts';
import { commitmentStore, disclosureStore } from './store/published.ts';
import { reviewStore } from './store/reviews.ts';
import { snapshotStore } from './store/snapshots.ts';
import { statementStore } from './store/statements.ts';
import type { TrustStore } from './store/trust.ts';
import { trustStore } from './store/trust.ts';
import { metadataFiles } from './store/trust-files.ts';

/** Everything that is kept in one data directory. */
export interface Stores {
  readonly accounting: AccountingStore;
  readonly blobs: BlobStore;
  readonly campaigns: CampaignStore;
  readonly commitments: CommitmentStore;
  readonly custody: CustodyStore;
  readonly directives: DirectiveStore;
  readonly disclosures: DisclosureStore;
  readonly dummies: DummyStore;
  readonly endorsements: EndorsementStore;
  readonly enrolments: EnrolmentStore;
  readonly events: EventStore;
  readonly heads: HeadStore;
  readonly leaves: LeafStore;
  readonly logFiles: LogFiles;
  readonly messages: MessageStore;
  readonly outbox: OutboxStore;
  readonly publications: PublicationStore;
  readonly reviews: ReviewStore;
  readonly rootFiles: TufFiles;
  readonly snapshots: SnapshotStore;
  readonly statements: StatementStore;
  readonly trust: TrustStore;
  readonly tufFiles: TufFiles;
  /** Let what was accepted become durable, then close. */
  readonly close: () => Promise<void>;
}

/** @param options.onFatal - A commit failed with unknown outcome; the process must stop. */
export async function openStores(
  config: Config,
  options: {
    readonly mailDomain: string;
    readonly dummySeed: Uint8Array;
    readonly now: () => number;
    readonly onFatal: (error: unknown) => void;
  },
): Promise<Stores> {
  const { now, mailDomain, onFatal } = options;
  const directory = (name: string): string => join(config.dataDirectory, name);
  const databases = openDatabases(config.dataDirectory);
  const { writer, reader } = databases;
  const commits = new CommitQueue(writer, { flushMs: config.flushMs, onFatal });
  const blobFiles = await contentFiles(directory('blobs'));
  const snapshotFiles = await contentFiles(directory('snapshots'));
  return {
    accounting: accountingStore(reader, commits, now),
    blobs: blobStore(reader, commits, blobFiles, { maxBytes: config.maxBlobBytes, now }),
    campaigns: campaignStore(reader, commits, now),
    commitments: commitmentStore(reader),
    custody: custodyStore(reader, commits),
    directives: directiveStore(reader, commits, now),
    disclosures: disclosureStore(reader),
    dummies: dummyStore(reader),
    endorsements: endorsementStore(reader, commits),
    enrolments: enrolmentStore(reader, commits),
    events: eventStore(reader),
    heads: headStore(config.logHeadDirectory),
    leaves: leafStore(reader, commits, options.dummySeed),
    logFiles: logFiles(directory('log')),
    messages: messageStore(reader, commits, { mailDomain, now }),
    outbox: outboxStore(reader, commits, now),
    publications: publicationStore(reader),
    reviews: reviewStore(reader, commits),
    rootFiles: await metadataFiles(directory('trust')),
    snapshots: snapshotStore(reader, commits, snapshotFiles, now),
    statements: statementStore(reader, commits),
    trust: trustStore(reader, commits, now),
    tufFiles: await metadataFiles(directory('tuf')),
    async close() {
      await commits.close();
      await databases.close();
    },
  };
}
