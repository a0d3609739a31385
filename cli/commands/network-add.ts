import { fromBase58 } from '../../protocol/encoding/bytes.ts';
import { utf8Encode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import {
  encodeSnapshot,
  headerText,
  MAX_SNAPSHOT_BYTES,
  parseSnapshot,
  snapshotDigest,
} from '../../protocol/stake/snapshot.ts';
import { connect } from '../client/connect.ts';
import { loadTrust } from '../client/trust.ts';
import { findOption, getOption, type Command, type Context, type Input } from '../command.ts';
import { UsageError } from '../errors.ts';
import { readInputFile, writeAtomically } from '../home/files.ts';
import { openHome, type Home } from '../home/home.ts';
import { parseVoteAccounts } from '../network/vote-accounts.ts';

const SNAPSHOT_START = utf8Encode('sealdrop-snapshot/');

export const networkAddCommand: Command = {
  name: 'network add',
  group: 'officer',
  summary: "Take over a network's stake as the snapshot that decisions count by",
  options: [
    { flag: '--genesis <hash>', description: "the network's genesis hash", required: true },
    {
      flag: '--stake <file>',
      description: 'answer of getVoteAccounts, or a snapshot file',
      required: true,
    },
    { flag: '--point <text>', description: 'the moment it holds for, such as "epoch 650"' },
    { flag: '--source <text>', description: 'where the figures are from' },
  ],
  example:
    'sealdrop network add --genesis 5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d' +
    ' --stake vote-accounts.json --point "epoch 650" --source https://api.mainnet-beta.solana.com',

  async run(input, context) {
    const home = openHome(context);
    const bytes = await readStake(input);
    const { network, point, source, total, rows, stakes } = parseSnapshot(bytes);
    const sha256 = snapshotDigest(bytes);
    await writeAtomically(home.path('networks', `${sha256}.txt`), bytes);
    await writeAtomically(home.path('networks', 'current'), `${sha256}\n`);
    const isPosted = await postSnapshot(context, home, network, sha256, bytes);

    context.out.line(`network        ${network}`);
    context.out.line(`point          ${point}`);
    context.out.line(`source         ${source}`);
    context.out.line(`vote accounts  ${rows.length}, of ${stakes.size} validator identities`);
    context.out.line(`total stake    ${total.toString()} lamports`);
    context.out.line(`snapshot       sha256 ${sha256}`);
    if (!isPosted) {
      context.out.note('kept here only: after officer init and trust add, repeat this to post it');
    }
    context.out.summary({
      network,
      point,
      source,
      sha256,
      voteAccounts: rows.length,
      identities: stakes.size,
      totalStake: total,
      posted: isPosted,
    });
  },
};

/** The snapshot file, made from an RPC answer unless it is one already. */
async function readStake(input: Input): Promise<Uint8Array> {
  const network = networkOf(getOption(input, 'genesis'));
  const [point, source] = [findOption(input, 'point'), findOption(input, 'source')];
  const bytes = await readInputFile(getOption(input, 'stake'), MAX_SNAPSHOT_BYTES);
  const isSnapshot = SNAPSHOT_START.every((byte, index) => bytes[index] === byte);
  if (!isSnapshot) {
    if (point === undefined || source === undefined) {
      throw new UsageError('--point and --source are required with an RPC answer');
    }
    for (const [flag, text] of Object.entries({ point, source })) {
      if (!headerText.safeParse(text).success) {
        throw new UsageError(`--${flag} is not 1 to 200 printable ASCII characters`);
      }
    }
    return encodeSnapshot({ network, point, source, rows: parseVoteAccounts(bytes) });
  }
  const snapshot = parseSnapshot(bytes);
  for (const [what, said, has] of [
    ['network', network, snapshot.network],
    ['point', point, snapshot.point],
    ['source', source, snapshot.source],
  ] as const) {
    if (said !== undefined && said !== has) {
      throw new UsageError(`the snapshot's ${what} is "${has}", not "${said}"`);
    }
  }
  return bytes;
}

function networkOf(genesis: string): string {
  try {
    fromBase58(genesis, 32);
  } catch {
    throw new UsageError('--genesis is not a genesis hash', 'run: solana genesis-hash');
  }
  return `solana:${genesis}`;
}

/** Post it where this home is an officer's and trusts a server; tells whether it did. */
async function postSnapshot(
  context: Context,
  home: Home,
  network: string,
  sha256: string,
  bytes: Uint8Array,
): Promise<boolean> {
  const officer = await home.findOfficerKeys();
  if (officer === undefined || (await home.findConfig()) === undefined) return false;
  const { root } = await loadTrust(home);
  if (root.network !== network) {
    throw new UsageError(`the trusted server is for ${root.network}, not ${network}`);
  }
  const client = await connect(context, home, officer.signer);
  const posted = await client.postSnapshot(bytes);
  if (posted.sha256 !== sha256) {
    throw new ProtocolError('commitment_mismatch', 'the server stored another snapshot');
  }
  return true;
}
