import { commitmentName } from '../../protocol/campaign/commitment.ts';
import { parsePlan, planDigest, type Plan } from '../../protocol/campaign/plan.ts';
import { equalBytes } from '../../protocol/encoding/bytes.ts';
import { readAccessKey } from '../../protocol/embargo/notice.ts';
import { recipientOf } from '../../protocol/embargo/age.ts';
import { verifyDocuments } from '../../protocol/embargo/bundle.ts';
import { planJson } from '../record/derived.ts';
import { LIMIT, RECORD } from '../record/layout.ts';
import { readme } from '../record/readme.ts';
import { count, demand, type Audit, type Check, type Fact } from './check.ts';
import { indexFact } from './files.ts';
import { requirePaths, timestampSizes } from './folder.ts';

export const planFact: Fact<{ plan: Plan; bytes: Uint8Array; digest: string }> = {
  check: 'plan.file',
  async establish(audit) {
    const bytes = await audit.files.read(RECORD.plan, LIMIT.document);
    return { plan: parsePlan(bytes), bytes, digest: planDigest(bytes) };
  },
};

/** The committed documents and their list, by name, each verified against the plan. */
export const documentsFact: Fact<ReadonlyMap<string, Uint8Array>> = {
  check: 'documents.committed',
  establish: readDocuments,
};

/** The key that was in the notice: what opens shares and release key in transit. */
export const accessKeyFact: Fact<string> = {
  check: 'documents.access-key',
  async establish(audit) {
    const { plan } = await audit.get(planFact);
    const documents = await audit.get(documentsFact);
    const notice = documents.get('notice.txt');
    if (notice === undefined) throw new Error('every plan lists notice.txt');
    const accessKey = await readAccessKey(notice);
    const isPlanned = (await recipientOf(accessKey)) === plan.accessRecipient;
    demand(isPlanned, 'the key in the notice is not that of the plan’s access recipient');
    return accessKey;
  },
};

export const planChecks: readonly Check[] = [
  {
    id: 'plan.file',
    title: 'plan.txt is a plan in its one encoding and contradicts itself nowhere',
    async run(audit: Audit): Promise<string> {
      const { plan, digest } = await audit.get(planFact);
      return `${plan.campaign}${plan.exercise ? ', an exercise' : ''}, ${digest}`;
    },
  },
  {
    id: 'plan.derived',
    title: 'record.json, plan.json and README.md speak of this campaign as the plan does',
    async run(audit: Audit): Promise<string> {
      const { plan } = await audit.get(planFact);
      const { campaign } = await audit.get(indexFact);
      demand(campaign === plan.campaign, 'record.json names another campaign');
      await requireBytes(audit, RECORD.planJson, planJson(plan));
      await requireBytes(audit, RECORD.readme, readme(plan, timestampSizes(audit).length > 0));
      return plan.campaign;
    },
  },
  {
    id: 'documents.committed',
    title: 'COMMITMENT and every document are, bit for bit, what the plan commits to',
    async run(audit: Audit): Promise<string> {
      const { plan } = await audit.get(planFact);
      const documents = await audit.get(documentsFact);
      return `${count(documents.size - 1, 'document')}, commitment ${plan.commitment}`;
    },
  },
  {
    id: 'documents.access-key',
    title: 'the access key in the notice is that of the plan',
    async run(audit: Audit): Promise<string> {
      await audit.get(accessKeyFact);
      return 'one access key';
    },
  },
];

async function readDocuments(audit: Audit): Promise<ReadonlyMap<string, Uint8Array>> {
  const { plan } = await audit.get(planFact);
  const list = commitmentName(plan.revision);
  const paths = new Map([
    [list, RECORD.commitment(list)],
    ...plan.documents.map(({ name }) => [name, RECORD.document(plan.revision, name)] as const),
  ]);
  const files = new Map<string, Uint8Array>();
  for (const [name, path] of paths) {
    files.set(name, await audit.files.read(path, LIMIT.document));
  }
  verifyDocuments(files, plan);
  requirePaths(audit, 'commitment/', [RECORD.commitment(list)]);
  paths.delete(list);
  requirePaths(audit, 'documents/', paths.values());
  return files;
}

async function requireBytes(audit: Audit, path: string, expected: Uint8Array): Promise<void> {
  const found = await audit.files.read(path, LIMIT.document);
  demand(equalBytes(found, expected), `${path} is not what the plan makes it`);
}
