/** An answer as the real server gave it. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Answers by method and path with query: `GET /log/checkpoint`. */
export type Answers = ReadonlyMap<string, Answer>;
