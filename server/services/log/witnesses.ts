/** A witness knows more of the log than the log itself: signing on could fork it. */
export class LogAheadError extends Error {
  override readonly name = 'LogAheadError';
}

/** The independent parties that cosign what this log signs. */
export interface Witnesses {
  /**
   * Ask every witness for a cosignature of a signed checkpoint note. Never rejects for a witness that
   * is down; returns the note with the cosignature lines that came in time.
   *
   * @param prove - Consistency proof from an older size to this note's size.
   * @throws {@link LogAheadError} when a witness knows a larger size, or another root at the same
   *   size, than this log: the signing stops.
   */
  cosign(
    note: string,
    size: number,
    prove: (oldSize: number) => Promise<Uint8Array[]>,
  ): Promise<string>;
}

/** Nobody: the note stays as it is. */
export const noWitnesses: Witnesses = { cosign: (note) => Promise.resolve(note) };
