import { logRevisions, type LoggedRevision } from '../../protocol/record/revisions.ts';
import type { Fact } from './check.ts';
import { directivesFact } from './directives.ts';
import { ledgerFact, leafOf } from './ledger.ts';

/** By revision: every plan, and between which leaves it was the newest in force. */
export const revisionsFact: Fact<readonly LoggedRevision[]> = {
  check: 'order.log',
  async establish(audit) {
    const { directives, revisions } = await audit.get(directivesFact);
    const ledger = await audit.get(ledgerFact);
    return logRevisions(revisions, (sequence) => {
      const recorded = directives[sequence - 1];
      if (recorded === undefined) throw new Error('a directive put it in force');
      return leafOf(ledger, 'directive', recorded.envelope, `directive ${sequence}`);
    });
  },
};

/** The newest plan in force at a leaf. */
export function inForceAt(revisions: readonly LoggedRevision[], index: number): LoggedRevision {
  const found = revisions.find(({ end }) => index <= end);
  if (found === undefined) throw new Error('the last revision never ends');
  return found;
}
