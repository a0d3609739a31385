import { toBase64 } from '../../protocol/encoding/bytes.ts';
import type { Checkpoint } from '../../protocol/log/checkpoint.ts';
import { findLogKeys, type LogKeys } from '../log/log-keys.ts';
import { isUrl, openSource } from '../log/open-source.ts';
import { openState } from '../log/signed-state.ts';
import type { SignedState } from '../log/succession.ts';
import { checkTree, type CheckedTree } from '../log/tree/check-tree.ts';
import type { LogSource } from '../log/source.ts';
import { refreshCheckpoint } from '../log/checkpoint.ts';
import { reportQuorum, type Quorum } from '../log/quorum.ts';
import { argument, findOption, type Command, type Context } from '../command.ts';
import { formatServerUrl, parseServerUrl } from '../home/config.ts';
import { openHome, type Home } from '../home/home.ts';

export const logVerifyCommand: Command = {
  name: 'log verify',
  group: 'auditor',
  summary: 'Check a whole log: signature, root, every tile and every leaf',
  args: [
    { name: 'source', description: 'server URL, record, or a folder with checkpoint and tile/' },
  ],
  options: [
    { flag: '--key <vkey>', description: 'the log’s key; default: that of the trusted root' },
  ],
  example: 'sealdrop log verify ./record/log --key "$(cat ./record/keys/log.vkey)"',

  async run(input, context) {
    const home = openHome(context);
    const text = argument(input, 0);
    const keys = await findLogKeys(home, findOption(input, 'key'));
    const source = openSource(context, text);
    const state = await newestState(home, source, text, keys);
    const tree = await checkTree(source, state.checkpoint);
    const now = isUrl(text) ? context.now() : undefined;
    const quorum = reportQuorum(context.out, keys.root, state.note, now);
    report(context, state.checkpoint, tree, quorum);
  },
};

/** From the server that this home trusts it is also held against the last one seen. */
async function newestState(
  home: Home,
  source: LogSource,
  text: string,
  keys: LogKeys,
): Promise<SignedState> {
  const { root } = keys;
  if (root !== undefined && isUrl(text)) {
    const { server } = await home.config();
    if (formatServerUrl(parseServerUrl(text)) === server) {
      return refreshCheckpoint(home, source, root);
    }
  }
  return openState(await source.checkpoint(), keys);
}

function report(
  { out }: Context,
  { origin, size, root }: Checkpoint,
  { tiles, counts }: CheckedTree,
  quorum: Quorum,
): void {
  out.line(`${origin}: ${size} leaves, every one under the signed root`);
  out.line(`root ${toBase64(root)}`);
  const all = { tiles, ...counts };
  for (const [what, number] of Object.entries(all))
    out.line(`${String(number).padStart(8)} ${what}`);
  out.summary({ origin, size, root: toBase64(root), quorum, counts: all });
}
