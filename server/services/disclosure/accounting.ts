import type { LeafSpan } from '../../../protocol/log/leaf.ts';
import type { Logger } from '../logger.ts';

/** A campaign whose disclosure leaf is published. */
export interface DisclosedCampaign {
  readonly campaign: string;
  /** Of the disclosure leaf. */
  readonly index: number;
  /** Whether everything sealed before that leaf has been accounted for. */
  readonly isSettled: boolean;
}

/** How the sealed leaves that a disclosure does not open itself end. */
export interface Settlement {
  readonly dummies: readonly LeafSpan[];
  /** For now: of campaigns that are still hidden, and whatever would give them away. */
  readonly withheld: readonly LeafSpan[];
}

export interface AccountingStore {
  /** In the order of the log. @param size - Leaves under the published checkpoint. */
  listDisclosures(size: number): Promise<readonly DisclosedCampaign[]>;
  /** Sealed leaves from `start` to `end - 1` that this disclosure opens and that are not opened. */
  listUnopened(
    disclosure: { readonly campaign: string; readonly index: number },
    start: number,
    end: number,
  ): Promise<readonly number[]>;
  /** Write down that these leaves are opened, and queue the leaves that say so, in one transaction. */
  open(campaign: string, leaves: readonly number[]): Promise<void>;
  /**
   * Account for all other leaves that were sealed before a disclosure, in one transaction: dummies are
   * dummies when no campaign is hidden, and are withheld together with its leaves when one is.
   *
   * @param size - Leaves under the published checkpoint.
   */
  settle(disclosure: DisclosedCampaign, size: number): Promise<Settlement>;
}

/** What opens dummies that were accounted for as such. */
export interface DummyStore {
  /** Dummies below this index are opened; 0 for none. */
  openedBelow(): Promise<number>;
}

/**
 * Account for every sealed leaf that a disclosure leaves behind.
 *
 * A disclosed campaign opens all its own leaves, also later ones, and all enrolments before its
 * disclosure leaf. What is left before that leaf are dummies and the leaves of campaigns that are
 * still hidden. As long as there is one of these, opening the dummies would show which leaves are
 * its own: all that is left is withheld then, until the last such campaign is disclosed, too.
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
      for (const disclosure of disclosures) {
        const { campaign } = disclosure;
        const start = done.get(campaign) ?? 0;
        if (start >= size) continue;
        await store.open(campaign, await store.listUnopened(disclosure, start, size));
        done.set(campaign, size);
      }
      // Only now: what one disclosure leaves over, another may just have opened.
      for (const disclosure of disclosures) {
        if (disclosure.isSettled) continue;
        const { dummies, withheld } = await store.settle(disclosure, size);
        logger.info(
          {
            campaign: disclosure.campaign,
            dummies: countLeaves(dummies),
            withheld: countLeaves(withheld),
          },
          'sealed leaves accounted for',
        );
      }
    },
  };
}

function countLeaves(spans: readonly LeafSpan[]): number {
  return spans.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}
