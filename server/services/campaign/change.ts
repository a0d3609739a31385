import type { KeyName } from '../../../protocol/plan/key-name.ts';
import { encodeJson } from '../../../protocol/encoding/json.ts';
import { formatInstant } from '../../../protocol/encoding/time.ts';
import type { Leaf } from '../../../protocol/log/leaf.ts';
import type { Receipted, SealedEntry } from '../sealing.ts';
import { sealEntry } from '../sealing.ts';
import type { Campaign, EventType } from './campaign.ts';

/** One thing that happened to a campaign, and how it goes into the log. */
export interface CampaignEvent {
  /** Number within the campaign, from 1. */
  readonly seq: number;
  readonly at: string;
  readonly type: EventType;
  /** Ids, codes and times; at most 256 characters. */
  readonly detail: string;
  readonly entry: SealedEntry;
}

/** A directive that has its signatures. */
interface CompletedDirective {
  readonly sequence: number;
  /** SHA-256 of the payload. */
  readonly digest: string;
  readonly envelope: string;
  readonly entry: Receipted;
}

/** A share or release key that an officer has published. */
export interface Publication {
  readonly kind: KeyName | 'release-key';
  readonly officer: string;
  /** The share's commitment, or the digest of the recipient. */
  readonly subject: string;
  /** SHA-256 of the envelope. */
  readonly digest: string;
  readonly envelope: string;
  readonly entry: Receipted;
}

/** Officers' TUF targets metadata, as it goes with `arm`. */
export interface NewTargets {
  readonly version: number;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/** What one transaction adds besides the campaign's new state. */
export interface Additions {
  readonly directive?: CompletedDirective;
  readonly publication?: Publication;
  readonly targets?: NewTargets;
  /** The signatures over plaintext that came with the last signature, an age file in base64. */
  readonly attachment?: { readonly officer: string; readonly sealed: string };
  /** A commitment that becomes public, by its digest. */
  readonly commitment?: string;
  /** Opened documents: name and exact bytes. */
  readonly documents?: ReadonlyMap<string, Uint8Array>;
  /** The leaf that says so. */
  readonly disclosure?: Leaf;
}

/** Everything that happens in one transaction: all of it is durable, or none. */
export interface CampaignChange extends Additions {
  readonly before: Campaign;
  readonly after: Campaign;
  readonly at: string;
  readonly events: readonly CampaignEvent[];
}

/**
 * Describe a change of a campaign.
 *
 * @param at - Unix ms: the one instant of everything in it.
 * @param happened - Type and detail of each event, in order.
 */
export function changeOf(
  before: Campaign,
  at: number,
  patch: Partial<Campaign>,
  happened: readonly (readonly [EventType, string])[],
  additions: Additions = {},
): CampaignChange {
  const instant = formatInstant(at);
  const events = happened.map(([type, detail], i) =>
    makeEvent(before.state.campaign, before.events + 1 + i, instant, type, detail),
  );
  const after = { ...before, ...patch, events: before.events + events.length };
  return { ...additions, before, after, at: instant, events };
}

/** An event with its sealed entry. */
export function makeEvent(
  campaign: string,
  seq: number,
  at: string,
  type: EventType,
  detail: string,
): CampaignEvent {
  const content = encodeJson({ seq, at, type, detail });
  return { seq, at, type, detail, entry: sealEntry(campaign, 'event', content) };
}
