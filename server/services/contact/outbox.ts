/** A mail that is due. */
export interface OutgoingMail {
  readonly seq: number;
  readonly campaign: string;
  readonly operator: string;
  /** PGP MESSAGE. */
  readonly armored: string;
  /** Kept when the mail is sent again, so that the receiving side can tell. */
  readonly messageId: string;
  /** Attempts before this one. */
  readonly attempts: number;
}

export type Outcome =
  | { readonly state: 'sent' | 'bounced' }
  /** @param at - Unix ms of the next attempt. */
  | { readonly state: 'deferred'; readonly at: number };

export interface OutboxStore {
  /** Mails whose time has come, oldest first, without those in `busy`. */
  listDue(busy: readonly number[], limit: number): Promise<readonly OutgoingMail[]>;
  saveOutcome(seq: number, outcome: Outcome): Promise<void>;
}
