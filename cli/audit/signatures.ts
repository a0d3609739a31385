import { mergeDetached } from '../../protocol/contact/openpgp.ts';
import { utf8Decode } from '../../protocol/encoding/bytes.ts';
import { parseInstant } from '../../protocol/encoding/time.ts';
import { parseSignatureFiles, verifyRelease } from '../../protocol/embargo/bundle.ts';
import { verifyApproval, type Approvers } from '../operator/approval.ts';
import { LIMIT, RECORD } from '../record/layout.ts';
import { parseEnvelopeFile } from '../record/lines.ts';
import { bundlesFact } from './bundles.ts';
import { demand, within, type Audit, type Check, type Fact } from './check.ts';
import { directivesFact } from './directives.ts';
import { signaturePaths } from './folder.ts';
import { documentsFact, planFact } from './plan.ts';

const approvalFact: Fact<Approvers | undefined> = {
  check: 'signatures.sums',
  establish: readApproval,
};

export const signatureChecks: readonly Check[] = [
  {
    id: 'signatures.sums',
    title:
      'enough officers signed the released files: SHA256SUMS.asc, .minisig, .sshsig, release.intoto.json',
    async run(audit: Audit): Promise<string> {
      const approval = await audit.get(approvalFact);
      if (approval === undefined) return 'the patch was never released';
      const ways = [
        ['OpenPGP', approval.sums],
        ['minisign and SSH', approval.byOfficer],
        ['in-toto', approval.release],
      ] as const;
      return ways.map(([way, people]) => `${way}: ${people.join(', ')}`).join('; ');
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
  const files = new Map<string, Uint8Array>();
  for (const path of signaturePaths(audit)) {
    files.set(path, await audit.files.read(path, LIMIT.small));
  }
  const approved = {
    sums: await audit.files.read(RECORD.sums, LIMIT.small),
    release: verifyRelease(release, plan),
    signatures: parseSignatureFiles(files),
  };
  return verifyApproval(approved, plan, root, audit.verify, parseInstant(last.completedAt));
}
