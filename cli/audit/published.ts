import type { Plan } from '../../protocol/campaign/plan.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Envelope } from '../../protocol/signature/dsse.ts';
import { parsePublication, verifyPublication } from '../../protocol/statement/share.ts';
import {
  openPublications,
  type OpenedPublications,
  type Publication,
} from '../operator/publications.ts';
import { LIMIT, RECORD } from '../record/layout.ts';
import { parseEnvelopeLines } from '../record/lines.ts';
import { publishedFor } from '../record/revisions.ts';
import { count, demand, forRevisions, within, type Audit, type Check, type Fact } from './check.ts';
import { ledgerFact, leafOf } from './ledger.ts';
import { accessKeysFact } from './plan.ts';
import { inForceAt, revisionsFact } from './revisions.ts';
import { trustFact } from './trust.ts';

export interface RecordedPublication {
  readonly publication: Publication;
  readonly envelope: Envelope;
  /** Of its sealed leaf. */
  readonly index: number;
}

export interface Published {
  /** By leaf. */
  readonly publications: readonly RecordedPublication[];
  /** By revision: what counts for it, opened. */
  readonly opened: readonly OpenedPublications[];
}

/** The shares and keys that officers published, each under its officer's signature. */
export const publishedFact: Fact<Published> = {
  check: 'shares.published',
  establish: readPublished,
};

export const publishedChecks: readonly Check[] = [
  {
    id: 'shares.published',
    title: 'every published share and key is signed by its officer and in the log',
    async run(audit: Audit): Promise<string> {
      return count((await audit.get(publishedFact)).publications.length, 'publication');
    },
  },
];

async function readPublished(audit: Audit): Promise<Published> {
  const revisions = await audit.get(revisionsFact);
  const ledger = await audit.get(ledgerFact);
  const accessKeys = await audit.get(accessKeysFact);
  const lines = parseEnvelopeLines(await audit.files.read(RECORD.published, LIMIT.small));
  const publications: RecordedPublication[] = [];
  for (const [i, envelope] of lines.entries()) {
    const what = `publication ${i + 1}`;
    const { kind } = within(what, () => parsePublication(envelope.payload));
    const index = leafOf(ledger, kind, envelope, what);
    const publication = await verifyUnderAnyRoot(
      audit,
      what,
      envelope,
      inForceAt(revisions, index).plan,
    );
    const before = publications.at(-1);
    demand(before === undefined || before.index < index, `${what} is not in the log’s order`);
    publications.push({ publication, envelope, index });
  }
  const opened = await forRevisions(revisions, (revision, i) =>
    openPublications(
      publishedFor(revision, publications).map(({ publication }) => publication),
      revision.plan,
      accessKeys[i] ?? '',
    ),
  );
  return { publications, opened };
}

/**
 * Officers may have been exchanged meanwhile: any root from the first plan's on tells who they are.
 *
 * @param plan - In force when it was published, which it has to be of.
 */
async function verifyUnderAnyRoot(
  audit: Audit,
  what: string,
  envelope: Envelope,
  plan: Plan,
): Promise<Publication> {
  const { roots, newest: newestRoot } = await audit.get(trustFact);
  const [first] = await audit.get(revisionsFact);
  const since = first?.root.version ?? newestRoot.version;
  const eligible = [...roots.values()].filter(({ version }) => version >= since);
  for (const root of eligible.slice(0, -1)) {
    try {
      return verifyPublication(envelope, audit.verify, root, plan);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
  }
  const newest = eligible.at(-1) ?? newestRoot;
  return within(what, () => verifyPublication(envelope, audit.verify, newest, plan));
}
