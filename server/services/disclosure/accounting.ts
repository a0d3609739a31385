import type { Logger } from '../logger.ts';

/** How a sealed leaf ends. */
interface Account {
  /** Index of the sealed leaf. */
  readonly leaf: number;
  readonly how: 'opened' | 'withheld';
  /** Whose disclosure does it. */
  readonly campaign: string;
}

export interface AccountingStore {
  /** Campaigns whose disclosure leaf is published, with its index. */
  listDisclosures(size: number): Promise<readonly { campaign: string; index: number }[]>;
  /** Sealed leaves from `start` to `end - 1` that this disclosure opens and that are not opened. */
  listUnopened(
    disclosure: { readonly campaign: string; readonly index: number },
    start: number,
    end: number,
  ): Promise<readonly number[]>;
  /** Sealed leaves below `index` that nothing accounts for. */
  listUnaccounted(index: number): Promise<readonly number[]>;
  /** Write the accounts down and queue their leaves, in one transaction. */
  account(accounts: readonly Account[]): Promise<void>;
}

/**
 * Account for every sealed leaf that a disclosure leaves behind.
 *
 * A disclosed campaign opens all its own leaves, also later ones, and all enrolments before its
 * disclosure leaf. What is left before that leaf belongs to campaigns that are still hidden: it is
 * withheld for now, and opened by their own disclosure.
 */
export function accounting(
  store: AccountingStore,
  logger: Logger,
): {
  /** @param size - Leaves under the published checkpoint. */
  readonly run: (size: number) => Promise<void>;
} {
  /** Up to where each disclosure has been followed. */
  const done = new Map<string, number>();

  return {
    async run(size) {
      const disclosures = await store.listDisclosures(size);
      const isNew = new Set(
        disclosures.map(({ campaign }) => campaign).filter((it) => !done.has(it)),
      );
      for (const disclosure of disclosures) {
        const { campaign } = disclosure;
        const start = done.get(campaign) ?? 0;
        if (start >= size) continue;
        const opened = await store.listUnopened(disclosure, start, size);
        await store.account(opened.map((leaf) => ({ leaf, how: 'opened', campaign })));
        done.set(campaign, size);
      }
      // Only now: what one disclosure leaves over, another may just have opened.
      for (const { campaign, index } of disclosures) {
        if (!isNew.has(campaign)) continue;
        const left = await store.listUnaccounted(index);
        await store.account(left.map((leaf) => ({ leaf, how: 'withheld', campaign })));
        logger.info({ campaign, withheld: left.length }, 'sealed leaves accounted for');
      }
    },
  };
}
