import { parsePlan, planDigest, type Plan } from '../../protocol/plan/plan.ts';
import { serverCustodyText } from '../../protocol/plan/server-custody.ts';
import { equalBytes } from '../../protocol/encoding/bytes.ts';
import { readAccessKey } from '../../protocol/embargo/notice.ts';
import { recipientOf } from '../../protocol/embargo/age.ts';
import { verifyDocuments } from '../../protocol/embargo/closing-bundle.ts';
import { planJson } from '../../protocol/record/derived.ts';
import { inRevision, LIMIT, RECORD, revisionOf } from '../../protocol/record/layout.ts';
import { readme } from '../../protocol/record/readme.ts';
import { documentOf, documentPaths } from '../../protocol/record/revisions.ts';
import {
  count,
  demand,
  forRevisions,
  tellRevisions,
  within,
  type Audit,
  type Check,
  type Fact,
} from './check.ts';
import { indexFact } from './files.ts';
import { requirePaths, timestampSizes } from './folder.ts';

/** A plan as the record has it. */
export interface RecordedPlan {
  readonly plan: Plan;
  readonly bytes: Uint8Array;
  readonly digest: string;
}

/** All plans of the campaign, which are its revisions. */
export interface RecordedPlans {
  readonly campaign: string;
  /** By revision, from 1. */
  readonly all: readonly RecordedPlan[];
  readonly plans: readonly Plan[];
  readonly first: RecordedPlan;
  /** The one in force in the end. */
  readonly last: RecordedPlan;
}

export const planFact: Fact<RecordedPlans> = { check: 'plan.file', establish: readPlans };

/**
 * All committed documents and lists, each verified against the plans, by the names that the last
 * closing bundle has for them.
 */
export const documentsFact: Fact<ReadonlyMap<string, Uint8Array>> = {
  check: 'documents.committed',
  establish: readDocuments,
};

/** The keys that were in the notices, by revision: what opens shares and release keys in transit. */
export const accessKeysFact: Fact<readonly string[]> = {
  check: 'documents.access-key',
  async establish(audit) {
    const { all, plans } = await audit.get(planFact);
    const documents = await audit.get(documentsFact);
    return forRevisions(all, async ({ plan }) => {
      const notice = documentOf(documents, plans, plan.revision, 'notice.txt');
      const accessKey = await readAccessKey(notice);
      const isPlanned = (await recipientOf(accessKey)) === plan.accessRecipient;
      demand(isPlanned, 'the key in the notice is not that of the plan’s access recipient');
      return accessKey;
    });
  },
};

export const planChecks: readonly Check[] = [
  {
    id: 'plan.file',
    title: 'plan.txt is a plan in its one encoding and contradicts itself nowhere',
    async run(audit: Audit): Promise<string> {
      const { campaign, all, first, plans } = await audit.get(planFact);
      const digests = tellRevisions(all.map(({ digest }) => digest));
      const custody = [...new Set(plans.flatMap((plan) => serverCustodyText(plan) ?? []))].join(
        '; ',
      );
      const kind = first.plan.exercise ? ', an exercise' : '';
      return `${campaign}${kind}, ${digests}${custody === '' ? '' : `; ${custody}`}`;
    },
  },
  {
    id: 'plan.derived',
    title: 'record.json, plan.json and README.md speak of this campaign as the plan does',
    run: checkDerived,
  },
  {
    id: 'documents.committed',
    title: 'COMMITMENT and every document are, bit for bit, what the plan commits to',
    async run(audit: Audit): Promise<string> {
      const { plans } = await audit.get(planFact);
      const documents = await audit.get(documentsFact);
      const commitments = tellRevisions(plans.map((plan) => `commitment ${plan.commitment}`));
      return `${count(documents.size - plans.length, 'document')}, ${commitments}`;
    },
  },
  {
    id: 'documents.access-key',
    title: 'the access key in the notice is that of the plan',
    async run(audit: Audit): Promise<string> {
      const { length } = await audit.get(accessKeysFact);
      return length === 1 ? 'one access key' : count(length, 'access key');
    },
  },
];

/** The plan, and `r2/plan.txt` and so on. That officers put each in force is for the directives. */
async function readPlans(audit: Audit): Promise<RecordedPlans> {
  const all: RecordedPlan[] = [];
  for (let revision = 1; ; revision += 1) {
    const path = inRevision(revision, RECORD.plan);
    if (revision > 1 && !audit.files.sizes.has(path)) break;
    const bytes = await audit.files.read(path, LIMIT.document);
    const plan = revision === 1 ? parsePlan(bytes) : within(path, () => parsePlan(bytes));
    demand(plan.revision === revision, `${path} is revision ${plan.revision} of a plan`);
    all.push({ plan, bytes, digest: planDigest(bytes) });
  }
  const [first, last] = [all[0], all.at(-1)];
  if (first === undefined || last === undefined) throw new Error('one was read');
  const { campaign } = first.plan;
  for (const { plan } of all) {
    demand(plan.campaign === campaign, `revision ${plan.revision} is of another campaign`);
  }
  for (const path of audit.files.sizes.keys()) {
    const revision = revisionOf(path) ?? 1;
    demand(revision <= all.length, `${path} is of a revision that has no plan`);
  }
  return { campaign, all, plans: all.map(({ plan }) => plan), first, last };
}

async function checkDerived(audit: Audit): Promise<string> {
  const { campaign, all, plans } = await audit.get(planFact);
  const index = await audit.get(indexFact);
  demand(index.campaign === campaign, 'record.json names another campaign');
  for (const { plan } of all) {
    await requireBytes(audit, inRevision(plan.revision, RECORD.planJson), planJson(plan));
  }
  // Whether a release key has a right to be here is looked at with the shares.
  const released = plans
    .map(({ revision }) => revision)
    .filter((revision) => audit.files.sizes.has(inRevision(revision, RECORD.releaseKey)));
  const hasTimestamps = timestampSizes(audit).length > 0;
  await requireBytes(audit, RECORD.readme, readme(plans, new Set(released), hasTimestamps));
  return campaign;
}

async function readDocuments(audit: Audit): Promise<ReadonlyMap<string, Uint8Array>> {
  const { plans, last } = await audit.get(planFact);
  const paths = documentPaths(plans);
  const files = new Map<string, Uint8Array>();
  for (const [name, [path = '', ...copies]] of paths) {
    const bytes = await audit.files.read(path, LIMIT.document);
    for (const copy of copies) {
      const isSame = equalBytes(await audit.files.read(copy, LIMIT.document), bytes);
      demand(isSame, `${copy} is not ${path}`);
    }
    files.set(name, bytes);
  }
  verifyDocuments(files, last.plan);
  for (const folder of ['commitment/', 'documents/']) {
    const inFolder = [...paths.values()].flat().filter((path) => path.startsWith(folder));
    requirePaths(audit, folder, inFolder);
  }
  return files;
}

async function requireBytes(audit: Audit, path: string, expected: Uint8Array): Promise<void> {
  const found = await audit.files.read(path, LIMIT.document);
  demand(equalBytes(found, expected), `${path} is not what the plan makes it`);
}
