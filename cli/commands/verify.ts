import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyEd25519 } from '../../platform/ed25519.ts';
import { documentDigest } from '../../protocol/commitment/document.ts';
import { parseSignatureFiles } from '../../protocol/embargo/signature-bundle.ts';
import { parseRelease, releaseSums } from '../../protocol/embargo/release.ts';
import { isOfficerSignature, officerKeysBeside } from '../../protocol/embargo/sums-signatures.ts';
import { encodeSums, parseSums, SUMS_NAME } from '../../protocol/embargo/sums.ts';
import type { Files } from '../../protocol/embargo/tar.ts';
import { equalBytes, sha256HexOfLarge } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { parseEnvelope } from '../../protocol/signature/dsse.ts';
import { parseReleaseStatement } from '../../protocol/statement/release.ts';
import { warnOfServerCustody } from '../client/server-custody.ts';
import { loadTrust } from '../client/trust.ts';
import { argument, type Command } from '../command.ts';
import { readInputFile } from '../home/files.ts';
import { openHome } from '../home/home.ts';
import { WithdrawnError } from '../errors.ts';
import {
  approvedByPlan,
  approvedRevision,
  releaseDigest,
  verifyApproval,
} from '../../protocol/embargo/approval.ts';
import { supersededError } from '../operator/notice.ts';
import { hasChain, loadChain, type Chain } from '../client/chain.ts';

const MAX_FILE_BYTES = 1024 * 1024 * 1024;
/** Officers' public keys, which `fetch` writes for other programs. */
const KEY_FILE = /^SHA256SUMS\.(?:allowed_signers|[a-z0-9-]+\.pub)$/;

export const verifyCommand: Command = {
  name: 'verify',
  group: 'all',
  summary: 'Check an unpacked patch: every file, and that enough officers signed it',
  args: [
    { name: 'dir', description: 'folder that fetch wrote, or an unpacked bundle with signatures' },
  ],
  example: 'sealdrop verify ./patch',

  async run(input, context) {
    const dir = argument(input, 0);
    const home = openHome(context);
    const trust = await loadTrust(home);
    const findPlan = async (id: string): Promise<Chain | undefined> => {
      const directory = home.campaign(id);
      return (await hasChain(directory)) ? loadChain(home, trust, directory) : undefined;
    };
    const read = (name: string): Promise<Uint8Array> =>
      readInputFile(join(dir, name), MAX_FILE_BYTES);

    const sums = await read(SUMS_NAME);
    const listed = new Map(parseSums(sums).map(({ name, sha256 }) => [name, sha256]));
    const files: string[] = [];
    const [signatureFiles, keyFiles] = [
      new Map<string, Uint8Array>(),
      new Map<string, Uint8Array>(),
    ];
    for (const name of (await readdir(dir)).sort()) {
      if (name === SUMS_NAME) continue;
      const bytes = await read(name);
      if (isSignature(name)) signatureFiles.set(name, bytes);
      else if (KEY_FILE.test(name)) keyFiles.set(name, bytes);
      else if (listed.get(name) === (await sha256HexOfLarge(bytes))) files.push(name);
      else throw new ProtocolError('bundle_invalid', `${name} is not a file that SHA256SUMS lists`);
    }

    const document = await read('release.txt');
    const { campaign, ...release } = parseRelease(document);
    const sha256 = documentDigest(document);
    const known = await findPlan(campaign);
    if (known !== undefined) {
      warnOfServerCustody(context.out, known.plan);
      requireInForce(known, sha256);
    }
    if (signatureFiles.size === 0 && known !== undefined) {
      // What fetch wrote when nobody had the signatures: the plan binds every byte as well.
      const { people, root } = approvedByPlan(known);
      requireKeys(keyFiles, officerKeysBeside(root));
      if (!equalBytes(sums, encodeSums(releaseSums(release, sha256)))) {
        throw new ProtocolError('bundle_invalid', 'SHA256SUMS does not say what release.txt says');
      }
      context.out.line(`${files.length} files of ${campaign} verified`);
      context.out.line(`by the plan that ${people.join(', ')} put in force`);
      context.out.warn('no signatures of officers over SHA256SUMS are beside them');
      context.out.summary({ campaign, plan: 'matches', files, signatures: 'missing' });
      return;
    }
    const signatures = parseSignatureFiles(signatureFiles);
    const { revision } = parseReleaseStatement(parseEnvelope(signatures.release).payload);
    const root =
      known === undefined ? trust.root : approvedRevision(signatures, known.revisions).root;
    requireKeys(keyFiles, officerKeysBeside(root));
    const subject = { campaign, network: trust.root.network, revision };
    const approvers = await verifyApproval(
      { sums, release, signatures },
      { ...subject, documents: [{ name: 'release.txt', sha256 }] },
      root,
      verifyEd25519,
      context.now(),
    );
    const { out } = context;
    if (known === undefined) out.note('its plan is not here, so only the signatures were checked');
    out.line(`${files.length} files of ${campaign} verified`);
    out.line(`SHA256SUMS signed by ${approvers.sums.join(', ')}`);
    out.line(`and for minisign and ssh-keygen by ${approvers.byOfficer.join(', ')}`);
    out.line(`release signed by ${approvers.release.join(', ')}`);
    const plan = known === undefined ? 'unknown' : 'matches';
    out.summary({ campaign, plan, files, ...approvers });
  },
};

/** @throws {@link WithdrawnError} for a patch that was in force and is not any more. */
function requireInForce({ plan, revisions, state }: Chain, release: string): void {
  if (releaseDigest(plan) === release) {
    if (state.status !== 'withdrawn') return;
    throw new WithdrawnError(`${plan.campaign} is withdrawn`, 'do not apply it');
  }
  const earlier = revisions.find((it) => releaseDigest(it.plan) === release);
  if (earlier !== undefined) throw supersededError(earlier.plan, plan);
  throw new ProtocolError('commitment_mismatch', 'release.txt is not the one of the plan here');
}

function isSignature(name: string): boolean {
  return ['SHA256SUMS.asc', 'release.intoto.json'].includes(name) || isOfficerSignature(name);
}

/** Whoever goes on with other programs must not be handed other keys. */
function requireKeys(found: Files, expected: Files): void {
  for (const [name, bytes] of found) {
    if (!equalBytes(bytes, expected.get(name) ?? new Uint8Array())) {
      throw new ProtocolError('key_invalid', `${name} is not what the root of trust says`);
    }
  }
}
