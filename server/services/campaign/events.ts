import type { EventType } from './campaign.ts';

/** An event as it is read back. */
interface StoredEvent {
  readonly seq: number;
  readonly at: string;
  readonly type: EventType;
  readonly detail: string;
}

export interface EventStore {
  /** Those with a number above `after`, in order. */
  listEvents(campaign: string, after: number, limit: number): Promise<readonly StoredEvent[]>;
}
