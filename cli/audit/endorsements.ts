import { judgeEndorsements } from '../../protocol/campaign/endorsements.ts';
import type { Envelope } from '../../protocol/signature/dsse.ts';
import { verifyEndorsement } from '../../protocol/statement/endorsement.ts';
import { RECORD } from '../../protocol/record/layout.ts';
import { demand, tellRevisions, within, type Audit, type Check, type Fact } from './check.ts';
import { ledgerFact, leafOf } from './ledger.ts';
import { leavesFact } from './log.ts';
import { readInLogOrder } from './log-order.ts';
import { planFact } from './plan.ts';
import { trustFact, underAnyRoot } from './trust.ts';

/** Who repeated commitments in public, those of this campaign among them; by leaf. */
export const endorsementsFact: Fact<readonly Envelope[]> = {
  check: 'endorsements.signatures',
  establish: readEndorsements,
};

export const endorsementChecks: readonly Check[] = [
  {
    id: 'endorsements.signatures',
    title:
      'every endorsement is signed by an endorser that the root listed, and of a public commitment',
    run: describeEndorsements,
  },
];

async function readEndorsements(audit: Audit): Promise<readonly Envelope[]> {
  const { roots } = await audit.get(trustFact);
  const ledger = await audit.get(ledgerFact);
  const { announced } = await audit.get(leavesFact);
  const recorded = await readInLogOrder(
    audit,
    RECORD.endorsements,
    'endorsement',
    (envelope, what) => {
      const { commitment } = within(what, () =>
        underAnyRoot(roots, (root) => verifyEndorsement(envelope, audit.verify, root)),
      );
      const index = leafOf(ledger, 'endorsement', envelope, what);
      const isPublic = announced.some(
        (it) => it.leaf.type === 'commitment' && it.leaf.sha256 === commitment && it.index < index,
      );
      demand(isPublic, `${what} is of something that nobody had committed to`);
      return { envelope, index };
    },
  );
  return recorded.map(({ envelope }) => envelope);
}

/**
 * No move waits for endorsements, so too few are told and are no failure. Those of one revision are
 * none of the next.
 */
async function describeEndorsements(audit: Audit): Promise<string> {
  const { plans } = await audit.get(planFact);
  const { newest } = await audit.get(trustFact);
  const envelopes = await audit.get(endorsementsFact);
  if (newest.endorsementThreshold === 0) return 'the root of trust lists no endorser';
  const found = plans.map(({ commitment }) => {
    const { endorsed, missing, required } = judgeEndorsements(
      envelopes,
      commitment,
      newest,
      audit.verify,
    );
    const who = endorsed.map(({ endorser }) => endorser).join(', ');
    const silent = missing.length === 0 ? '' : `; missing: ${missing.join(', ')}`;
    return `${endorsed.length} of the ${required} that it takes${who && `: ${who}`}${silent}`;
  });
  return tellRevisions(found);
}
