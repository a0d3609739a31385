import { judgeReviews, requireReviews } from '../../protocol/campaign/reviews.ts';
import type { Envelope } from '../../protocol/signature/dsse.ts';
import { verifyReview, type Review } from '../../protocol/statement/review.ts';
import { RECORD } from '../../protocol/record/layout.ts';
import { AuditError, count, demand, within, type Audit, type Check, type Fact } from './check.ts';
import { directivesFact } from './directives.ts';
import { ledgerFact, leafOf } from './ledger.ts';
import { readInLogOrder } from './log-order.ts';
import { planFact } from './plan.ts';
import { trustFact, underAnyRoot } from './trust.ts';

export interface RecordedReview {
  readonly review: Review;
  readonly envelope: Envelope;
  /** Of its sealed leaf. */
  readonly index: number;
}

/** What firms said of the campaign's plans, each signed by a reviewer that some root lists. */
export const reviewsFact: Fact<readonly RecordedReview[]> = {
  check: 'reviews.signatures',
  establish: readReviews,
};

export const reviewChecks: readonly Check[] = [
  {
    id: 'reviews.signatures',
    title: 'every review is signed by a firm that the root of trust listed, and in the log',
    async run(audit: Audit): Promise<string> {
      return count((await audit.get(reviewsFact)).length, 'review');
    },
  },
  {
    id: 'reviews.policy',
    title:
      'enough of the firms that the plan names had found the release sound before it was armed',
    run: checkPolicy,
  },
];

async function readReviews(audit: Audit): Promise<readonly RecordedReview[]> {
  const { campaign } = await audit.get(planFact);
  const { roots } = await audit.get(trustFact);
  const ledger = await audit.get(ledgerFact);
  return readInLogOrder(audit, RECORD.reviews, 'review', (envelope, what) => {
    const review = within(what, () =>
      underAnyRoot(roots, (root) => verifyReview(envelope, audit.verify, root)),
    );
    demand(review.campaign === campaign, `${what} is of another campaign`);
    return { review, envelope, index: leafOf(ledger, 'review', envelope, what) };
  });
}

/**
 * Judged as it was when officers decided: for the plan that they armed, under the root they named, by
 * what the log had by then.
 */
async function checkPolicy(audit: Audit): Promise<string> {
  const { all } = await audit.get(planFact);
  const { roots } = await audit.get(trustFact);
  const { directives } = await audit.get(directivesFact);
  const ledger = await audit.get(ledgerFact);
  const reviews = await audit.get(reviewsFact);
  const found: string[] = [];
  for (const { directive, envelope } of directives) {
    const { action, sequence, rootVersion } = directive;
    if (action !== 'arm' && action !== 'supersede') continue;
    const what = `directive ${sequence}`;
    const armed = all.find(({ digest }) => directive.plan === digest);
    if (armed === undefined) throw new AuditError(`${what} armed a plan that is not here`);
    const root = roots.get(rootVersion);
    if (root === undefined) throw new Error('the directive was verified under it');
    const decided = leafOf(ledger, 'directive', envelope, what);
    const until = reviews.filter(({ index }) => index < decided);
    const standing = judgeReviews(
      until.map((it) => it.envelope),
      armed,
      root,
      audit.verify,
    );
    within(what, () => {
      requireReviews(standing);
    });
    const { required, sound, unsound } = standing;
    const against = unsound.length === 0 ? '' : `, found unsound by ${unsound.join(', ')}`;
    if (required > 0) found.push(`${action}: ${required} needed, ${sound.join(', ')}${against}`);
  }
  return found.join('; ') || 'none was asked for';
}
