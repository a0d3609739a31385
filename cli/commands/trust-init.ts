import { withOutputDirectory } from '../../platform/files.ts';
import { networkId } from '../../protocol/encoding/shape.ts';
import { formatTime } from '../../protocol/encoding/time.ts';
import { parseEd25519PublicKey } from '../../protocol/signature/ed25519.ts';
import { parseVerifierKey } from '../../protocol/signature/verifier-key.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import { findOption, getOption, listOption, wholeNumber, type Command } from '../command.ts';
import { UsageError } from '../errors.ts';
import { openHome } from '../home/home.ts';
import {
  custodianOf,
  officerOf,
  readOfficerCard,
  readServerCard,
  requireOwnKeys,
} from '../trust/cards.ts';
import { saveCeremony, signCeremony, startCeremony } from '../trust/ceremony.ts';
import { tellCeremony } from '../trust/tell.ts';
import { NO_VOUCHERS, nextVouchers, VOUCHER_OPTIONS } from '../trust/vouchers.ts';
import { readWitnessPolicy } from '../trust/witness-policy.ts';

const DAY_MS = 86_400_000;

export const trustInitCommand: Command = {
  name: 'trust init',
  group: 'officer',
  summary: 'Write the first root of trust from public cards, and sign it',
  options: [
    { flag: '--network <id>', description: 'solana:<genesis hash>', required: true },
    { flag: '--server <card>', description: "the server's card", required: true },
    {
      flag: '--officer <card>',
      description: "an officer's card, your own among them; once for each",
      required: true,
      many: true,
    },
    ...VOUCHER_OPTIONS,
    { flag: '--threshold <m>', description: 'people that a decision takes', required: true },
    { flag: '--share-threshold <t>', description: 'shares that open a patch', required: true },
    {
      flag: '--witness-policy <file>',
      description: 'witnesses of the log and how many must cosign, as a tlog-policy',
    },
    { flag: '--expires <days>', description: 'days for which the root is valid', required: true },
    {
      flag: '--out <dir>',
      description: 'new folder for root.json and targets.json',
      required: true,
    },
  ],
  example:
    'sealdrop trust init --network solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d --server server.card.json' +
    ' --officer alice.card.json --officer bob.card.json --officer carol.card.json' +
    ' --threshold 2 --share-threshold 2 --expires 365 --out ./trust',

  async run(input, context) {
    const home = openHome(context);
    const [keys, rootKey] = [await home.officerKeys(), await home.officerRootKey()];
    const network = getOption(input, 'network');
    if (!networkId.safeParse(network).success) {
      throw new UsageError('--network is not solana: and a genesis hash', 'solana genesis-hash');
    }
    const server = await readServerCard(getOption(input, 'server'));
    const people = new Map<string, ReturnType<typeof officerOf>>();
    for (const path of listOption(input, 'officer')) {
      const officer = officerOf(await readOfficerCard(path, new Date(context.now())));
      if (people.has(officer.id)) throw new UsageError(`two cards are of ${officer.id}`);
      people.set(officer.id, officer);
    }
    const days = wholeNumber(getOption(input, 'expires'), '--expires', 1, 1825);
    if (people.size < 2) {
      throw new UsageError(
        'a key is split among at least two officers',
        'give two --officer cards',
      );
    }
    const count = (name: string, flag: string, min: number): number =>
      wholeNumber(getOption(input, name), flag, min, people.size);
    const policyFile = findOption(input, 'witnessPolicy');
    const root: TrustRoot = {
      version: 1,
      expires: formatTime(context.now() + days * DAY_MS),
      network,
      origin: server.origin,
      people,
      directiveThreshold: count('threshold', '--threshold', 1),
      shareThreshold: count('shareThreshold', '--share-threshold', 2),
      ...(await nextVouchers(NO_VOUCHERS, input)),
      ...custodianOf(server),
      logKey: parseVerifierKey(server.logKey),
      tokenKey: parseEd25519PublicKey(server.tokenKey),
      witnesses: [],
      ...(policyFile !== undefined && (await readWitnessPolicy(policyFile))),
      snapshotKey: parseEd25519PublicKey(server.snapshotKey),
      timestampKey: parseEd25519PublicKey(server.timestampKey),
    };
    await requireOwnKeys(root, keys, rootKey);

    const ceremony = signCeremony(startCeremony(root), keys, rootKey);
    const out = getOption(input, 'out');
    await withOutputDirectory(out, (directory) => saveCeremony(directory, ceremony));
    await tellCeremony(context.out, ceremony, out, true);
  },
};
