import type { Envelope } from '../../protocol/signature/dsse.ts';
import { parsePublication, verifyPublication } from '../../protocol/statement/share.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import {
  openPublications,
  type OpenedPublications,
  type Publication,
} from '../../protocol/embargo/publications.ts';
import { RECORD } from '../../protocol/record/layout.ts';
import { publishedFor } from '../../protocol/record/revisions.ts';
import { count, forRevisions, within, type Audit, type Check, type Fact } from './check.ts';
import { ledgerFact, leafOf } from './ledger.ts';
import { readInLogOrder } from './log-order.ts';
import { accessKeysFact } from './plan.ts';
import { inForceAt, revisionsFact } from './revisions.ts';
import { trustFact, underAnyRoot } from './trust.ts';

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
  const roots = await rootsSinceFirstPlan(audit);
  const publications = await readInLogOrder(
    audit,
    RECORD.published,
    'publication',
    (envelope, what) => {
      const { kind } = within(what, () => parsePublication(envelope.payload));
      const index = leafOf(ledger, kind, envelope, what);
      const { plan } = inForceAt(revisions, index);
      const publication = within(what, () =>
        underAnyRoot(roots, (root) => verifyPublication(envelope, audit.verify, root, plan)),
      );
      return { publication, envelope, index };
    },
  );
  const opened = await forRevisions(revisions, (revision, i) =>
    openPublications(
      publishedFor(revision, publications).map(({ publication }) => publication),
      revision.plan,
      accessKeys[i] ?? '',
    ),
  );
  return { publications, opened };
}

/** Officers may have been exchanged meanwhile: any root from the first plan's on tells who they are. */
async function rootsSinceFirstPlan(audit: Audit): Promise<ReadonlyMap<number, TrustRoot>> {
  const { roots, newest } = await audit.get(trustFact);
  const [first] = await audit.get(revisionsFact);
  const since = first?.root.version ?? newest.version;
  return new Map([...roots].filter(([version]) => version >= since));
}
