import { judgeReviews, requireReviews } from '../../protocol/campaign/reviews.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Envelope } from '../../protocol/signature/dsse.ts';
import { verifyReview, type Review } from '../../protocol/statement/review.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import { LIMIT, RECORD } from '../record/layout.ts';
import { parseEnvelopeLines } from '../record/lines.ts';
import { AuditError, count, demand, within, type Audit, type Check, type Fact } from './check.ts';
import { directivesFact } from './directives.ts';
import { ledgerFact, leafOf } from './ledger.ts';
import { planFact } from './plan.ts';
import { trustFact } from './trust.ts';

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
  const lines = parseEnvelopeLines(await audit.files.read(RECORD.reviews, LIMIT.small));
  const reviews: RecordedReview[] = [];
  for (const [i, envelope] of lines.entries()) {
    const what = `review ${i + 1}`;
    const review = within(what, () =>
      underAnyRoot(roots, (root) => verifyReview(envelope, audit.verify, root)),
    );
    demand(review.campaign === campaign, `${what} is of another campaign`);
    const index = leafOf(ledger, 'review', envelope, what);
    const before = reviews.at(-1);
    demand(before === undefined || before.index < index, `${what} is not in the log’s order`);
    reviews.push({ review, envelope, index });
  }
  return reviews;
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

/**
 * Verify something under whichever root listed its signer: firms and endorsers come and go.
 *
 * @throws What `verify` threw under the newest root, when it throws under all.
 */
export function underAnyRoot<T>(
  roots: ReadonlyMap<number, TrustRoot>,
  verify: (root: TrustRoot) => T,
): T {
  let first: unknown;
  for (const root of [...roots.values()].sort((a, b) => b.version - a.version)) {
    try {
      return verify(root);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      first ??= error;
    }
  }
  throw first;
}
