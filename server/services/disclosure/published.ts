/** An opening whose leaf has been opened in the log. */
interface PublishedOpening {
  /** Index of the sealed leaf. */
  readonly index: number;
  /** Base64. */
  readonly opening: string;
}

/** What is public of a disclosed campaign. */
export interface DisclosureStore {
  /** The exact committed bytes. */
  findDocument(campaign: string, name: string): Promise<Uint8Array | undefined>;
  /** Openings of the campaign's leaves and of enrolments before its disclosure, by index. */
  listOpenings(
    campaign: string,
    after: number,
    limit: number,
  ): Promise<readonly PublishedOpening[]>;
}

/** A public commitment. */
interface Commitment {
  readonly sha256: string;
  readonly committedAt: string;
  /** Null until a published checkpoint covers it. */
  readonly leafIndex: number | null;
}

export interface CommitmentStore {
  /** @param size - Leaves under the published checkpoint. */
  listCommitments(size: number): Promise<readonly Commitment[]>;
}
