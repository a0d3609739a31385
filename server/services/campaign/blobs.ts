import type { Readable } from 'node:stream';

import { ciphertextsOf } from '../../../protocol/plan/ciphertexts.ts';
import type { Campaign } from './campaign.ts';
import type { Registry } from './registry.ts';
import type { Caller } from '../caller.ts';
import { ServiceError } from '../error.ts';

/** A file of ciphertext. */
export interface StoredBlob {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

export interface BlobStore {
  findBlob(sha256: string): Promise<StoredBlob | undefined>;
  addBlob(sha256: string, content: Readable): Promise<void>;
}

/** Ciphertext by digest. Who may have it follows from the campaigns whose plans name it. */
export interface Blobs {
  /** Storing what is there already changes nothing. */
  put(sha256: string, content: Readable): Promise<void>;
  /** @throws {@link ServiceError} `not_found`, also for what this caller may not see. */
  get(sha256: string, caller: Caller): Promise<StoredBlob>;
  /** Tell whether a ciphertext is there with this size. */
  has(blob: { readonly sha256: string; readonly size: number }): Promise<boolean>;
}

export function blobs(store: BlobStore, registry: Registry): Blobs {
  // Digests are looked for only in campaigns that hand out to this caller: a hidden ciphertext is
  // missed in the same places as one that does not exist.
  const isAllowed = (sha256: string, caller: Caller): boolean =>
    caller?.role === 'officer' ||
    registry
      .all()
      .filter((campaign) => handsOutTo(campaign, caller))
      .some((campaign) => names(campaign, sha256)) ||
    (caller?.role === 'reviewer' && isToReview(registry.all(), caller.id, sha256));

  return {
    async put(sha256, content) {
      if ((await store.findBlob(sha256)) === undefined) await store.addBlob(sha256, content);
      else content.resume();
    },
    async get(sha256, caller) {
      const blob = isAllowed(sha256, caller) ? await store.findBlob(sha256) : undefined;
      if (blob === undefined) throw new ServiceError('not_found', 'no such resource');
      return blob;
    },
    has: async ({ sha256, size }) => (await store.findBlob(sha256))?.size === size,
  };
}

function handsOutTo({ state, armedAt }: Campaign, caller: Caller): boolean {
  return state.status === 'disclosed' || (caller?.role === 'operator' && armedAt !== null);
}

/** Whoever is asked for a review looks at ciphertext before it is armed, and at no other. */
function isToReview(campaigns: readonly Campaign[], firm: string, sha256: string): boolean {
  return campaigns
    .flatMap(({ plans }) => [...plans.values()].map(({ plan }) => plan))
    .filter(({ policy }) => policy.reviews.by.includes(firm))
    .some((plan) => ciphertextsOf(plan).some((blob) => blob.sha256 === sha256));
}

/** A plan that is only proposed hands nothing out. */
function names({ plans, state }: Campaign, sha256: string): boolean {
  return [...plans.values()].some(
    ({ plan }) =>
      plan.revision <= state.revision && ciphertextsOf(plan).some((blob) => blob.sha256 === sha256),
  );
}
