import { verifyEd25519 } from '../platform/ed25519.ts';
import type { FindBeacon } from '../protocol/embargo/beacon.ts';
import { readFile } from 'node:fs/promises';

import { utf8Encode } from '../protocol/encoding/bytes.ts';
import { parseEnvelope } from '../protocol/signature/dsse.ts';
import type { NoteSigner } from '../protocol/signature/note.ts';
import { parseEnrolment } from '../protocol/statement/enrolment.ts';
import type { Adoption } from './services/adoption/adoption.ts';
import { adoption } from './services/adoption/adoption.ts';
import type { Statements } from './services/adoption/statements.ts';
import { statements } from './services/adoption/statements.ts';
import { testimony } from './services/adoption/testimony.ts';
import type { Blobs } from './services/campaign/blobs.ts';
import { blobs } from './services/campaign/blobs.ts';
import type { Campaign } from './services/campaign/campaign.ts';
import { createCampaign } from './services/decisions/create.ts';
import type { Creation } from './services/decisions/create.ts';
import type { Directives } from './services/decisions/directives.ts';
import { directives } from './services/decisions/directives.ts';
import type { Publications } from './services/publications/publications.ts';
import { isOpenable } from './services/publications/consequences.ts';
import { publications } from './services/publications/publications.ts';
import { openRegistry } from './services/campaign/registry.ts';
import type { CustodyShare, Registry } from './services/campaign/registry.ts';
import type { Inbox } from './services/contact/inbox.ts';
import { inbox } from './services/contact/inbox.ts';
import type { Messages } from './services/contact/messages.ts';
import { messages } from './services/contact/messages.ts';
import { custodian } from './services/custody/custodian.ts';
import type { Custodian, CustodyKey } from './services/custody/custodian.ts';
import { disclosure } from './services/disclosure/opening.ts';
import type { Endorsements } from './services/endorsements/endorsements.ts';
import { endorsements } from './services/endorsements/endorsements.ts';
import type { Enrolments } from './services/enrolment/enrolment.ts';
import { enrolments } from './services/enrolment/enrolment.ts';
import { describeFailure } from './services/failure.ts';
import type { Logger } from './services/logger.ts';
import type { Roster } from './services/people/roster.ts';
import { openRoster } from './services/people/roster.ts';
import type { Reviews } from './services/reviews/reviews.ts';
import { reviews } from './services/reviews/reviews.ts';
import { serial } from './services/serial.ts';
import type { Snapshots } from './services/snapshots.ts';
import { openSnapshots } from './services/snapshots.ts';
import { rotation } from './services/trust/rotation.ts';
import type { Rotation } from './services/trust/rotation.ts';
import type { LiveTrust, ServerKeyNames } from './services/trust/trust.ts';
import type { TufPublisher } from './services/trust/tuf.ts';
import type { Stores } from './stores.ts';

/** Every use case, over the stores of one data directory. */
export interface Services {
  /** Do what a crash or a full disk has kept from being done. */
  readonly finish: () => Promise<void>;
  readonly roster: Roster;
  readonly registry: Registry;
  readonly snapshots: Snapshots;
  readonly blobs: Blobs;
  readonly adoption: Adoption;
  readonly endorsements: Endorsements;
  readonly enrolments: Enrolments;
  readonly create: (plan: Uint8Array, custody: readonly CustodyShare[]) => Promise<Creation>;
  readonly directives: Directives;
  readonly publications: Publications;
  readonly custodian: Custodian;
  readonly reviews: Reviews;
  readonly statements: Statements;
  readonly messages: Messages;
  readonly inbox: Inbox;
  readonly rotation: Rotation;
  /** Renew the TUF metadata that is no longer fresh enough; trouble with that is only logged. */
  readonly freshen: () => Promise<void>;
}

/** Read what has to be in memory, and finish what a crash has interrupted. */
export async function openServices(deps: {
  readonly stores: Stores;
  readonly trust: LiveTrust;
  /** Of the keys that this server holds by now. */
  readonly ownKeys: () => Promise<ServerKeyNames>;
  readonly tuf: TufPublisher;
  readonly log: NoteSigner;
  readonly logger: Logger;
  readonly now: () => number;
  readonly onMailQueued: () => void;
  /** With which this server holds shares of its own; most do not. */
  readonly custodyKey: CustodyKey | undefined;
  readonly findBeacon: FindBeacon;
  /** A share or a key was accepted. */
  readonly onShare: () => void;
  /** What the log lacks to be witnessed; `undefined` when it lacks nothing. */
  readonly witnessShortfall: () => Promise<string | undefined>;
}): Promise<Services> {
  const { stores, trust, tuf, log, logger, now } = deps;
  const verify = verifyEd25519;
  const order = serial();
  const stored = await stores.enrolments.listEnrolments();
  const roster = openRoster(
    stored.map((it) => ({
      ...it,
      enrolment: parseEnrolment(parseEnvelope(utf8Encode(it.envelope)).payload),
    })),
  );
  const snapshots = await openSnapshots(stores.snapshots, trust.current.network, order);
  const registry = await openRegistry({
    store: stores.campaigns,
    recipients: await stores.messages.listRecipients(),
    serial: serial(),
    logger,
  });
  const disclosing = disclosure({
    publications: stores.publications,
    bundles: {
      async readBlob({ sha256 }) {
        const blob = await stores.blobs.findBlob(sha256);
        if (blob === undefined) throw new Error('the closing bundle is missing');
        return readFile(blob.path);
      },
    },
    registry,
    logger,
    now,
  });
  const publishTuf = (): Promise<void> => tuf.publish(registry.all().map(({ state }) => state));
  const freshen = (): Promise<void> =>
    publishTuf().catch((error: unknown) => {
      logger.error(describeFailure(error), 'TUF metadata not published');
    });
  const onCompleted = async (campaign: Campaign): Promise<void> => {
    // The directive is decided, whatever happens now; `finish` tries again.
    await freshen();
    if (isOpenable(campaign)) await disclosing.open(campaign);
  };
  const finish = async (): Promise<void> => {
    await publishTuf();
    for (const campaign of registry.all()) {
      if (isOpenable(campaign)) await disclosing.open(campaign);
    }
  };

  const blobAccess = blobs(stores.blobs, registry);
  const counting = adoption({
    statements: stores.statements,
    events: stores.events,
    registry,
    roster,
    snapshots,
    logger,
  });
  await counting.recover();
  await finish();

  const common = { registry, roster, snapshots, trust, log, verify, logger, now };
  const publishing = publications({
    ...common,
    store: stores.publications,
    onClosingKey: (campaign) => disclosing.open(campaign),
    onShare: deps.onShare,
  });
  const holding = custodian({
    ...common,
    key: deps.custodyKey,
    store: stores.custody,
    directives: stores.directives,
    published: stores.publications,
    publications: publishing,
    findBeacon: deps.findBeacon,
  });
  await holding.announce();
  return {
    finish,
    roster,
    registry,
    snapshots,
    blobs: blobAccess,
    adoption: counting,
    endorsements: endorsements({ ...common, store: stores.endorsements, serial: serial() }),
    enrolments: enrolments({ ...common, store: stores.enrolments, serial: order }),
    create: (plan: Uint8Array, custody: readonly CustodyShare[]): Promise<Creation> =>
      createCampaign({ ...common, custodian: holding }, plan, custody),
    directives: directives({
      ...common,
      store: stores.directives,
      reviews: stores.reviews,
      blobs: blobAccess,
      custodian: holding,
      witnessShortfall: deps.witnessShortfall,
      onCompleted,
    }),
    publications: publishing,
    custodian: holding,
    reviews: reviews({ ...common, store: stores.reviews }),
    statements: statements({
      ...common,
      store: stores.statements,
      adoption: counting,
      testimony: testimony({ origin: log.name, files: stores.logFiles, logger }),
    }),
    messages: messages({
      ...common,
      store: stores.messages,
      statements: stores.statements,
      onQueued: deps.onMailQueued,
    }),
    rotation: rotation({
      ...common,
      ownKeys: deps.ownKeys,
      store: stores.trust,
      latestTargets: stores.directives.findLatestTargets,
      rootFiles: stores.rootFiles,
      freshen,
      serial: serial(),
    }),
    freshen,
    inbox: inbox({ registry, messages: stores.messages, statements: stores.statements }),
  };
}
