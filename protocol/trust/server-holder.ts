const SERVER = 'server';

/**
 * Whether the holder of a share is the server, and no person: nobody in a root of trust may have such
 * an id. It is `server`, and in an exercise `server-2`, `server-3` … as well.
 */
export function isServerHolder(holder: string): boolean {
  return holder === SERVER || holder.startsWith(`${SERVER}-`);
}

/** The names under which the server holds so many shares of one key. */
export function serverHolders(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => (i === 0 ? SERVER : `${SERVER}-${i + 1}`));
}
