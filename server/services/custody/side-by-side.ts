/** Work on several things side by side: each by itself, never twice at a time. */
export interface SideBySide {
  /**
   * Work on one thing now, or, where that is under way, once more afterwards; beyond the limit as soon
   * as there is room.
   *
   * @param task - Never rejects.
   */
  begin(name: string, task: () => Promise<void>): void;
  /** Resolves when nothing is under way. */
  settle(): Promise<void>;
}

/** @param limit - How many things are worked on at a time. */
export function sideBySide(limit: number): SideBySide {
  const running = new Map<string, Promise<void>>();
  /** The last task for each, oldest first. */
  const waiting = new Map<string, () => Promise<void>>();

  const next = (): void => {
    for (const [name, task] of waiting) {
      if (running.size >= limit) return;
      if (running.has(name)) continue;
      waiting.delete(name);
      const work = async (): Promise<void> => {
        await task();
        running.delete(name);
        next();
      };
      running.set(name, work());
    }
  };

  return {
    begin(name, task) {
      waiting.set(name, task);
      next();
    },
    async settle() {
      while (running.size > 0) await Promise.all(running.values());
    },
  };
}
