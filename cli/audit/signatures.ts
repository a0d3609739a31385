import type { Revision } from '../../protocol/campaign/chain.ts';
import { mergeDetached } from '../../protocol/contact/detached.ts';
import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { parseInstant } from '../../protocol/encoding/time.ts';
import { parseSignatureFiles } from '../../protocol/embargo/signature-bundle.ts';
import { verifyRelease } from '../../protocol/embargo/bundle.ts';
import { verifyApproval, type Approvers } from '../../protocol/embargo/approval.ts';
import { inRevision, LIMIT, RECORD } from '../../protocol/record/layout.ts';
import { parseEnvelopeFile } from '../../protocol/record/lines.ts';
import { bundlesFact } from './bundles.ts';
import { documentOf } from '../../protocol/record/revisions.ts';
import {
  demand,
  forRevisions,
  tellRevisions,
  within,
  type Audit,
  type Check,
  type Fact,
} from './check.ts';
import { directivesFact } from './directives.ts';
import { signatureNames } from './folder.ts';
import { documentsFact, planFact } from './plan.ts';

/** By revision; `undefined` for one whose patch was never released. */
const approvalsFact: Fact<readonly (Approvers | undefined)[]> = {
  check: 'signatures.sums',
  async establish(audit) {
    const bundles = await audit.get(bundlesFact);
    const { revisions } = await audit.get(directivesFact);
    await audit.get(documentsFact);
    return forRevisions(revisions, (revision, i) =>
      bundles[i] === undefined ? undefined : readApproval(audit, revision),
    );
  },
};

export const signatureChecks: readonly Check[] = [
  {
    id: 'signatures.sums',
    title:
      'enough officers signed the released files: SHA256SUMS.asc, .minisig, .sshsig, release.intoto.json',
    async run(audit: Audit): Promise<string> {
      return tellRevisions((await audit.get(approvalsFact)).map(describeApproval));
    },
  },
  {
    id: 'signatures.encoding',
    title: 'the signature files hold signatures and nothing else',
    async run(audit: Audit): Promise<string> {
      const approvals = await audit.get(approvalsFact);
      const { all } = await audit.get(planFact);
      return tellRevisions(
        await forRevisions(all, ({ plan }, i) =>
          approvals[i] === undefined ? NEVER_RELEASED : checkEncoding(audit, plan.revision),
        ),
      );
    },
  },
];

const NEVER_RELEASED = 'the patch was never released';

function describeApproval(approval: Approvers | undefined): string {
  if (approval === undefined) return NEVER_RELEASED;
  const ways = [
    ['OpenPGP', approval.sums],
    ['minisign and SSH', approval.byOfficer],
    ['in-toto', approval.release],
  ] as const;
  return ways.map(([way, people]) => `${way}: ${people.join(', ')}`).join('; ');
}

async function checkEncoding(audit: Audit, revision: number): Promise<string> {
  const statementPath = inRevision(revision, RECORD.releaseStatement);
  const statement = await audit.files.read(statementPath, LIMIT.small);
  within(statementPath, () => parseEnvelopeFile(statement));
  // An armoured block has room for words that no signature covers.
  const sumsPath = inRevision(revision, RECORD.sumsSignature);
  const armored = utf8Decode(await audit.files.read(sumsPath, LIMIT.small));
  const anew = await mergeDetached([armored]);
  demand(anew === armored, `${sumsPath} holds more than signatures`);
  return 'one encoding each';
}

async function readApproval(audit: Audit, { plan, root }: Revision): Promise<Approvers> {
  const { plans } = await audit.get(planFact);
  const { directives } = await audit.get(directivesFact);
  const documents = await audit.get(documentsFact);
  const release = documentOf(documents, plans, plan.revision, 'release.txt');
  const last = directives.at(-1);
  if (last === undefined) throw new Error('a directive was verified before');
  const own = (name: string): string => inRevision(plan.revision, name);
  const files = new Map<string, Uint8Array>();
  for (const name of signatureNames(audit, plan.revision)) {
    files.set(name, await audit.files.read(own(name), LIMIT.small));
  }
  const approved = {
    sums: await audit.files.read(own(RECORD.sums), LIMIT.small),
    release: verifyRelease(release, plan),
    signatures: parseSignatureFiles(files),
  };
  return verifyApproval(approved, plan, root, audit.verify, parseInstant(last.completedAt));
}
