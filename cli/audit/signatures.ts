import { mergeDetached } from '../../protocol/contact/openpgp.ts';
import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { parseInstant } from '../../protocol/encoding/time.ts';
import { verifyRelease } from '../../protocol/embargo/bundle.ts';
import { verifyApproval, type Approvers } from '../operator/approval.ts';
import { LIMIT, RECORD } from '../record/layout.ts';
import { parseEnvelopeFile } from '../record/lines.ts';
import { bundlesFact } from './bundles.ts';
import { demand, within, type Audit, type Check, type Fact } from './check.ts';
import { directivesFact } from './directives.ts';
import { documentsFact, planFact } from './plan.ts';

const approvalFact: Fact<Approvers | undefined> = {
  check: 'signatures.sums',
  establish: readApproval,
};

export const signatureChecks: readonly Check[] = [
  {
    id: 'signatures.sums',
    title: 'enough officers signed the released files, in SHA256SUMS.asc and release.intoto.json',
    async run(audit: Audit): Promise<string> {
      const approval = await audit.get(approvalFact);
      if (approval === undefined) return 'the patch was never released';
      return `OpenPGP: ${approval.sums.join(', ')}; in-toto: ${approval.release.join(', ')}`;
    },
  },
  {
    id: 'signatures.encoding',
    title: 'the signature files hold signatures and nothing else',
    async run(audit: Audit): Promise<string> {
      if ((await audit.get(approvalFact)) === undefined) return 'the patch was never released';
      const statement = await audit.files.read(RECORD.releaseStatement, LIMIT.small);
      within(RECORD.releaseStatement, () => parseEnvelopeFile(statement));
      // An armoured block has room for words that no signature covers.
      const armored = utf8Decode(await audit.files.read(RECORD.sumsSignature, LIMIT.small));
      const anew = await mergeDetached([armored]);
      demand(anew === armored, `${RECORD.sumsSignature} holds more than signatures`);
      return 'one encoding each';
    },
  },
];

async function readApproval(audit: Audit): Promise<Approvers | undefined> {
  if ((await audit.get(bundlesFact)) === undefined) return undefined;
  const { plan } = await audit.get(planFact);
  const { root, directives } = await audit.get(directivesFact);
  const release = (await audit.get(documentsFact)).get('release.txt');
  const last = directives.at(-1);
  if (release === undefined || last === undefined) throw new Error('both were verified before');
  const approved = {
    sums: await audit.files.read(RECORD.sums, LIMIT.small),
    release: verifyRelease(release, plan),
    signatures: {
      sums: await audit.files.read(RECORD.sumsSignature, LIMIT.small),
      release: await audit.files.read(RECORD.releaseStatement, LIMIT.small),
    },
  };
  return verifyApproval(approved, plan, root, audit.verify, parseInstant(last.completedAt));
}
