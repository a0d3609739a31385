import { sha256Hex } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { verifyNextRoot } from '../../protocol/trust/root-verify.ts';
import { verifyEd25519 } from '../../platform/ed25519.ts';
import { connect } from '../client/connect.ts';
import { refreshTrust } from '../client/trust.ts';
import { argument, type Command } from '../command.ts';
import { CliError, UsageError } from '../errors.ts';
import { openHome } from '../home/home.ts';
import { tellAftermath } from '../trust/aftermath.ts';
import { findVersion, loadCeremony } from '../trust/ceremony.ts';
import { readPredecessor } from '../trust/succession.ts';

export const trustPublishCommand: Command = {
  name: 'trust publish',
  group: 'officer',
  summary: 'Give a complete next root of trust to the running server',
  args: [{ name: 'dir', description: 'folder that trust rotate wrote and enough people signed' }],
  example: 'sealdrop trust publish ./trust-2',

  async run(input, context) {
    const home = openHome(context);
    const directory = argument(input, 0);
    const version = await findVersion(directory);
    if (version === 1) {
      throw new UsageError(
        'the first root is not published this way',
        'start the server with it: SEALDROP_ROOT',
      );
    }
    const client = await connect(context, home);
    const before = await refreshTrust(home, client);
    const previous = before.roots.get(version - 1);
    if (previous === undefined) {
      throw new CliError(
        `root ${version} does not follow ${before.root.version}, which is in force`,
      );
    }
    const ceremony = await loadCeremony(directory, await readPredecessor(directory, previous));
    const { missing, missingBefore, rootFile, targetsFile } = ceremony;
    if (missing + missingBefore > 0) {
      throw new CliError(
        `${missing} signatures of the new people are missing, and ${missingBefore} of the old`,
        `the others run: sealdrop trust sign ${directory}`,
      );
    }
    verifyNextRoot(rootFile, previous, verifyEd25519);

    const answer = await client.publishRoot(rootFile, targetsFile);
    const { root, files } = await refreshTrust(home, client);
    const inForce = files.get(version);
    if (inForce === undefined || sha256Hex(inForce) !== sha256Hex(rootFile)) {
      throw new ProtocolError('trust_invalid', `the server took root ${version} and shows another`);
    }
    context.out.line(
      answer.isNew
        ? `root ${version} is in force, sha256 ${answer.sha256}`
        : `root ${version} was in force already, sha256 ${answer.sha256}`,
    );
    const campaigns = await tellAftermath(context);
    context.out.summary({
      version: root.version,
      rootSha256: answer.sha256,
      isNew: answer.isNew,
      campaigns,
    });
  },
};
