import { ProtocolError } from '../../protocol/errors.ts';
import type { Envelope } from '../../protocol/signature/dsse.ts';
import { verifyPublication } from '../../protocol/statement/share.ts';
import {
  openPublications,
  type OpenedPublications,
  type Publication,
} from '../operator/publications.ts';
import { LIMIT, RECORD } from '../record/layout.ts';
import { parseEnvelopeLines } from '../record/lines.ts';
import { count, demand, within, type Audit, type Check, type Fact } from './check.ts';
import { directivesFact } from './directives.ts';
import { ledgerFact, leafOf } from './ledger.ts';
import { accessKeyFact, planFact } from './plan.ts';
import { trustFact } from './trust.ts';

export interface RecordedPublication {
  readonly publication: Publication;
  readonly envelope: Envelope;
  /** Of its sealed leaf. */
  readonly index: number;
}

export interface Published extends OpenedPublications {
  /** By leaf. */
  readonly publications: readonly RecordedPublication[];
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
  const { plan } = await audit.get(planFact);
  const ledger = await audit.get(ledgerFact);
  const accessKey = await audit.get(accessKeyFact);
  const lines = parseEnvelopeLines(await audit.files.read(RECORD.published, LIMIT.small));
  const publications: RecordedPublication[] = [];
  for (const [i, envelope] of lines.entries()) {
    const what = `publication ${i + 1}`;
    const publication = await verifyUnderAnyRoot(audit, what, envelope);
    const index = leafOf(ledger, publication.kind, envelope, what);
    const before = publications.at(-1);
    demand(before === undefined || before.index < index, `${what} is not in the log’s order`);
    publications.push({ publication, envelope, index });
  }
  const opened = await openPublications(
    publications.map(({ publication }) => publication),
    plan,
    accessKey,
  );
  return { ...opened, publications };
}

/** Officers may have been exchanged meanwhile: any root from the plan's on tells who they are. */
async function verifyUnderAnyRoot(
  audit: Audit,
  what: string,
  envelope: Envelope,
): Promise<Publication> {
  const { plan } = await audit.get(planFact);
  const { roots } = await audit.get(trustFact);
  const { root: first } = await audit.get(directivesFact);
  const eligible = [...roots.values()].filter(({ version }) => version >= first.version);
  for (const root of eligible.slice(0, -1)) {
    try {
      return verifyPublication(envelope, audit.verify, root, plan);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
  }
  const newest = eligible.at(-1) ?? first;
  return within(what, () => verifyPublication(envelope, audit.verify, newest, plan));
}
