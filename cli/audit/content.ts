import { count, demand, type Audit, type Check } from './check.ts';
import { directivesFact } from './directives.ts';
import { endorsementsFact } from './endorsements.ts';
import { enrolmentsFact } from './enrolments.ts';
import { entryOf, ledgerFact } from './ledger.ts';
import { publishedFact } from './published.ts';
import { reviewsFact } from './reviews.ts';
import { statementLinesFact } from './statements.ts';

export const contentChecks: readonly Check[] = [
  {
    id: 'openings.content',
    title: 'what the log has of this campaign is in the record, whole, and nothing else is',
    run: checkContent,
  },
];

/**
 * The other direction, that the log has whatever the record has, is looked at where each kind is
 * read; counting both ways, nothing was left out and nothing made up.
 */
async function checkContent(audit: Audit): Promise<string> {
  const { envelopes, events, others } = await audit.get(ledgerFact);
  const held = new Set<string>();
  for (const { envelope } of (await audit.get(directivesFact)).directives) {
    held.add(entryOf('directive', envelope));
  }
  for (const { envelope } of await audit.get(enrolmentsFact)) {
    held.add(entryOf('enrolment', envelope));
  }
  for (const { envelope } of await audit.get(statementLinesFact)) {
    held.add(entryOf('statement', envelope));
  }
  for (const { envelope, publication } of (await audit.get(publishedFact)).publications) {
    held.add(entryOf(publication.kind, envelope));
  }
  for (const { envelope } of await audit.get(reviewsFact)) held.add(entryOf('review', envelope));
  for (const envelope of await audit.get(endorsementsFact)) {
    held.add(entryOf('endorsement', envelope));
  }
  for (const [entry, index] of envelopes) {
    demand(held.has(entry), `leaf ${index}, ${entry.split(' ')[0] ?? ''}, is not in the record`);
  }
  for (const entry of held) demand(envelopes.has(entry), `${entry} is not in the log`);
  demand(
    events.every(({ seq }, i) => seq === i + 1),
    'the events do not count from 1, each after the other',
  );
  const elsewhere = others === 0 ? '' : `; ${count(others, 'opening')} of other campaigns`;
  return `${count(envelopes.size, 'envelope')}, ${count(events.length, 'event')}${elsewhere}`;
}
