import type { Router } from 'express';

import { blobRoutes } from './http/blob-routes.ts';
import { campaignRoutes, snapshotRoutes } from './http/campaign-routes.ts';
import { directiveRoutes } from './http/directive-routes.ts';
import { disclosureRoutes } from './http/disclosure-routes.ts';
import { endorsementRoutes } from './http/endorsement-routes.ts';
import { enrolmentRoutes } from './http/enrolment-routes.ts';
import { messageRoutes } from './http/message-routes.ts';
import type { RateLimit } from './http/rate-limit.ts';
import { releaseRoutes } from './http/release-routes.ts';
import { reviewRoutes } from './http/review-routes.ts';
import { statementRoutes } from './http/statement-routes.ts';
import { trustRoutes } from './http/trust-routes.ts';
import type { Services } from './services.ts';
import type { Trust } from './services/trust/trust.ts';
import type { Stores } from './stores.ts';

/** Every route that may look at who asks. */
export function buildRoutes(deps: {
  readonly services: Services;
  readonly stores: Stores;
  readonly trust: Trust;
  readonly addressLimit: RateLimit;
  readonly maxBlobBytes: number;
  readonly logSize: () => number;
}): readonly Router[] {
  const { services, stores, trust } = deps;
  const { registry } = services;
  return [
    trustRoutes({
      trust,
      tuf: stores.tufFiles,
      rotation: services.rotation,
      freshen: services.freshen,
      store: stores.trust,
      addressLimit: deps.addressLimit,
      logSize: deps.logSize,
    }),
    enrolmentRoutes({ ...services, addressLimit: deps.addressLimit }),
    snapshotRoutes(services),
    blobRoutes({ blobs: services.blobs, maxBlobBytes: deps.maxBlobBytes }),
    campaignRoutes({ ...services, store: stores.directives, events: stores.events }),
    directiveRoutes({
      ...services,
      store: stores.directives,
      threshold: () => trust.current.directiveThreshold,
    }),
    statementRoutes({ ...services, store: stores.statements }),
    releaseRoutes(services),
    reviewRoutes({ ...services, store: stores.reviews, directives: stores.directives }),
    endorsementRoutes({ ...services, addressLimit: deps.addressLimit }),
    messageRoutes({ ...services, store: stores.messages }),
    disclosureRoutes({
      registry,
      disclosures: stores.disclosures,
      commitments: stores.commitments,
      logSize: deps.logSize,
    }),
  ];
}
