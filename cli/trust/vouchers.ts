import type { Endorser, Reviewer, TrustRoot } from '../../protocol/trust/root.ts';
import { findOption, listOption, wholeNumber, type Input, type OptionSpec } from '../command.ts';
import { UsageError } from '../errors.ts';
import { readEndorserCard, readReviewerCard } from './cards.ts';

/** What a root says of those who vouch for officers' work without being officers. */
export type Vouchers = Pick<TrustRoot, 'reviewers' | 'endorsers' | 'endorsementThreshold'>;

export const NO_VOUCHERS: Vouchers = {
  reviewers: new Map(),
  endorsers: new Map(),
  endorsementThreshold: 0,
};

export const VOUCHER_OPTIONS: readonly OptionSpec[] = [
  {
    flag: '--reviewer <card>',
    description: 'card of a firm that reviews patches; once for each',
    many: true,
  },
  {
    flag: '--endorser <card>',
    description: 'card of somebody who repeats commitments in public; once for each',
    many: true,
  },
  {
    flag: '--endorsement-threshold <k>',
    description: 'endorsers whose word it takes',
  },
];

export const REMOVE_VOUCHER_OPTIONS: readonly OptionSpec[] = [
  { flag: '--remove-reviewer <id>', description: 'firm that leaves; once for each', many: true },
  { flag: '--remove-endorser <id>', description: 'endorser who leaves; once for each', many: true },
];

/**
 * Reviewers and endorsers as the options change those of `before`.
 *
 * @throws {@link UsageError} for two cards of one id, somebody unknown who should leave, or endorsers
 *   without a threshold that fits them.
 */
export async function nextVouchers(before: Vouchers, input: Input): Promise<Vouchers> {
  const reviewers = await changed(
    before.reviewers,
    listOption(input, 'removeReviewer'),
    listOption(input, 'reviewer'),
    readReviewerCard,
  );
  const endorsers = await changed(
    before.endorsers,
    listOption(input, 'removeEndorser'),
    listOption(input, 'endorser'),
    readEndorserCard,
  );
  return { reviewers, endorsers, endorsementThreshold: thresholdOf(before, endorsers, input) };
}

function thresholdOf(before: Vouchers, endorsers: Vouchers['endorsers'], input: Input): number {
  const text = findOption(input, 'endorsementThreshold');
  if (endorsers.size === 0) {
    if (text !== undefined) throw new UsageError('--endorsement-threshold without an endorser');
    return 0;
  }
  const given =
    text === undefined
      ? before.endorsementThreshold
      : wholeNumber(text, '--endorsement-threshold', 1, endorsers.size);
  if (given < 1 || given > endorsers.size) {
    throw new UsageError(
      'how many endorsers does it take?',
      `give --endorsement-threshold 1 to ${endorsers.size}`,
    );
  }
  return given;
}

async function changed<T extends Endorser | Reviewer>(
  before: ReadonlyMap<string, T>,
  removed: readonly string[],
  cards: readonly string[],
  read: (path: string) => Promise<T>,
): Promise<ReadonlyMap<string, T>> {
  const after = new Map(before);
  for (const id of removed) {
    if (!after.delete(id)) throw new UsageError(`${id} is not listed in the root in force`);
  }
  const carded = new Set<string>();
  for (const path of cards) {
    const party = await read(path);
    if (carded.has(party.id)) throw new UsageError(`two cards are of ${party.id}`);
    if (removed.includes(party.id)) {
      throw new UsageError(`${party.id} cannot leave and stay`, 'a new card alone replaces keys');
    }
    carded.add(party.id);
    after.set(party.id, party);
  }
  return after;
}
