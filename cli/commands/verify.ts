import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyEd25519 } from '../../platform/ed25519.ts';
import { documentDigest } from '../../protocol/campaign/document.ts';
import { parseRelease } from '../../protocol/embargo/release.ts';
import { parseSums } from '../../protocol/embargo/sums.ts';
import { sha256Hex } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { parseEnvelope } from '../../protocol/signature/dsse.ts';
import { parseReleaseStatement } from '../../protocol/statement/release.ts';
import { loadTrust } from '../client/trust.ts';
import { argument, type Command } from '../command.ts';
import { readInputFile } from '../home/files.ts';
import { openHome } from '../home/home.ts';
import { verifyApproval } from '../operator/approval.ts';
import { loadChain, type Chain } from '../client/chain.ts';

const MAX_FILE_BYTES = 1024 * 1024 * 1024;
/** Signed, or signatures themselves; everything else is listed in SHA256SUMS. */
const UNLISTED = ['SHA256SUMS', 'SHA256SUMS.asc', 'release.intoto.json'];

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
      if ((await directory.find('plan.txt')) === undefined) return undefined;
      return loadChain(home, trust, directory);
    };
    const read = (name: string): Promise<Uint8Array> =>
      readInputFile(join(dir, name), MAX_FILE_BYTES);

    const sums = await read('SHA256SUMS');
    const listed = new Map(parseSums(sums).map(({ name, sha256 }) => [name, sha256]));
    const files: string[] = [];
    for (const name of (await readdir(dir)).sort()) {
      if (UNLISTED.includes(name)) continue;
      if (listed.get(name) !== sha256Hex(await read(name))) {
        throw new ProtocolError('bundle_invalid', `${name} is not a file that SHA256SUMS lists`);
      }
      files.push(name);
    }

    const document = await read('release.txt');
    const { campaign, ...release } = parseRelease(document);
    const statement = await read('release.intoto.json');
    const { revision } = parseReleaseStatement(parseEnvelope(statement).payload);
    const signatures = { sums: await read('SHA256SUMS.asc'), release: statement };
    const sha256 = documentDigest(document);
    const known = await findPlan(campaign);
    const committed = known?.plan.documents.find(({ name }) => name === 'release.txt');
    if (committed !== undefined && committed.sha256 !== sha256) {
      throw new ProtocolError('commitment_mismatch', 'release.txt is not the one of the plan here');
    }
    const subject = { campaign, network: trust.root.network, revision };
    const approvers = await verifyApproval(
      { sums, release, signatures },
      { ...subject, documents: [{ name: 'release.txt', sha256 }] },
      known?.root ?? trust.root,
      verifyEd25519,
      context.now(),
    );
    const { out } = context;
    if (known === undefined) out.note('its plan is not here, so only the signatures were checked');
    out.line(`${files.length} files of ${campaign} verified`);
    out.line(`SHA256SUMS signed by ${approvers.sums.join(', ')}`);
    out.line(`release signed by ${approvers.release.join(', ')}`);
    const plan = known === undefined ? 'unknown' : 'matches';
    out.summary({ campaign, plan, files, sums: approvers.sums, release: approvers.release });
  },
};
