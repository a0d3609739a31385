/** Runs tasks that share a key one after the other, and others side by side. */
export interface Serial {
  run<T>(key: string, task: () => Promise<T>): Promise<T>;
}

/** One process owns the data directory, so an order in memory is an order. */
export function serial(): Serial {
  const tails = new Map<string, Promise<unknown>>();
  return {
    run(key, task) {
      const before = tails.get(key) ?? Promise.resolve();
      const result = before.then(task, task);
      const settled = result.then(
        () => undefined,
        () => undefined,
      );
      tails.set(key, settled);
      void settled.then(() => {
        if (tails.get(key) === settled) tails.delete(key);
      });
      return result;
    },
  };
}
