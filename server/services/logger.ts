type Write = (fields: object, message: string) => void;

/** What services and routes log with: ids and codes, never content. Pino implements it. */
export interface Logger {
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
}
