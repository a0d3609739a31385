import { verifyDirectives, type Revision } from '../../protocol/campaign/chain.ts';
import { type CampaignState } from '../../protocol/campaign/campaign.ts';
import { parseInstant } from '../../protocol/encoding/time.ts';
import type { Envelope } from '../../protocol/signature/dsse.ts';
import type { VerifiedDirective } from '../../protocol/campaign/directive.ts';
import { LIMIT, RECORD } from '../../protocol/record/layout.ts';
import { parseDirectiveIndex, parseEnvelopeFile } from '../../protocol/record/lines.ts';
import { demand, within, type Audit, type Check, type Fact } from './check.ts';
import { requirePaths } from './folder.ts';
import { planFact } from './plan.ts';
import { trustFact } from './trust.ts';

export interface RecordedDirective {
  readonly directive: VerifiedDirective;
  readonly envelope: Envelope;
  /** When it got its last signature, by the server's clock. */
  readonly completedAt: string;
}

export interface DirectiveChain {
  /** By sequence, from 1. */
  readonly directives: readonly RecordedDirective[];
  /** How the campaign stood right after each. */
  readonly states: readonly CampaignState[];
  readonly state: CampaignState;
  /** By revision: every plan in the record, each put in force by a directive. */
  readonly revisions: readonly Revision[];
}

/** The officers' decisions, each verified where it stands in the chain. */
export const directivesFact: Fact<DirectiveChain> = {
  check: 'directives.chain',
  establish: readChain,
};

export const directiveChecks: readonly Check[] = [
  {
    id: 'directives.chain',
    title:
      'every move was signed by enough officers, in order and in time, over a plan they may make',
    async run(audit: Audit): Promise<string> {
      const { directives } = await audit.get(directivesFact);
      return directives
        .map(({ directive: { action, people } }) => `${action} (${people.join(', ')})`)
        .join(', ');
    },
  },
];

async function readChain(audit: Audit): Promise<DirectiveChain> {
  const { first, all } = await audit.get(planFact);
  const { roots } = await audit.get(trustFact);
  const index = parseDirectiveIndex(await audit.files.read(RECORD.directives, LIMIT.small));
  requirePaths(audit, 'directives/', [
    RECORD.directives,
    ...index.map(({ sequence }) => RECORD.directive(sequence)),
  ]);
  const envelopes: Envelope[] = [];
  for (const { sequence } of index) {
    const path = RECORD.directive(sequence);
    const file = await audit.files.read(path, LIMIT.small);
    envelopes.push(within(path, () => parseEnvelopeFile(file)));
  }
  const at = index.map(({ completedAt }) => parseInstant(completedAt));
  const { directives, states, state, revisions } = verifyDirectives(
    first.plan,
    first.bytes,
    envelopes,
    roots,
    audit.verify,
    { at, laterPlans: all.slice(1).map(({ bytes }) => bytes) },
  );
  demand(revisions.length > 0, 'officers decided nothing');
  const idle = all[revisions.length];
  demand(idle === undefined, `revision ${idle?.plan.revision ?? 0} was never put in force`);
  const recorded = directives.map((directive, i) => {
    const [envelope, line] = [envelopes[i], index[i]];
    if (envelope === undefined || line === undefined) throw new Error('one of each was read');
    demand(
      directive.sequence === line.sequence,
      `directive ${line.sequence} is in another’s place`,
    );
    return { directive, envelope, completedAt: line.completedAt };
  });
  return { directives: recorded, states, state, revisions };
}
