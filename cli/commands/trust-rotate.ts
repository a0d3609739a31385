import { withOutputDirectory } from '../../platform/files.ts';
import { formatTime } from '../../protocol/encoding/time.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { parseEd25519PublicKey } from '../../protocol/signature/ed25519.ts';
import { parseVerifierKey, type NoteVerifier } from '../../protocol/signature/verifier-key.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import { connect } from '../client/connect.ts';
import {
  findOption,
  getOption,
  hasFlag,
  listOption,
  wholeNumber,
  type Command,
  type Context,
  type Input,
} from '../command.ts';
import { UsageError } from '../errors.ts';
import { openHome } from '../home/home.ts';
import {
  custodianOf,
  findForeignKey,
  officerOf,
  readOfficerCard,
  readServerCard,
  requireOwnKeys,
} from '../trust/cards.ts';
import { saveCeremony, signCeremony, startCeremony } from '../trust/ceremony.ts';
import { loadForRotation } from '../trust/in-force.ts';
import { findPredecessor } from '../trust/succession.ts';
import { tellCeremony } from '../trust/tell.ts';
import { nextVouchers, REMOVE_VOUCHER_OPTIONS, VOUCHER_OPTIONS } from '../trust/vouchers.ts';
import { readWitnessPolicy } from '../trust/witness-policy.ts';

const DAY_MS = 86_400_000;

export const trustRotateCommand: Command = {
  name: 'trust rotate',
  group: 'officer',
  summary: 'Write the next root of trust from the one in force, and sign it',
  options: [
    {
      flag: '--officer <card>',
      description: "card of a new officer, or an officer's new card; once for each",
      many: true,
    },
    { flag: '--remove <id>', description: 'officer who leaves; once for each', many: true },
    ...VOUCHER_OPTIONS,
    ...REMOVE_VOUCHER_OPTIONS,
    { flag: '--threshold <m>', description: 'people that a decision takes; as before' },
    { flag: '--share-threshold <t>', description: 'shares that open a patch; as before' },
    {
      flag: '--server <card>',
      description: "the server's card with its new online or custody keys",
    },
    { flag: '--remove-custodian', description: 'the server may hold no shares any more' },
    { flag: '--witness <key>', description: 'new witness, as a note verifier key', many: true },
    { flag: '--remove-witness <name>', description: 'witness that goes', many: true },
    {
      flag: '--witness-policy <file>',
      description: 'all witnesses and how many must cosign, as a tlog-policy',
    },
    { flag: '--expires <days>', description: 'days for which the root is valid', required: true },
    { flag: '--out <dir>', description: 'new folder for the files', required: true },
  ],
  example:
    'sealdrop trust rotate --remove carol --officer dave.card.json --expires 365 --out ./trust-2',

  async run(input, context) {
    const home = openHome(context);
    const [keys, rootKey] = [await home.officerKeys(), await home.officerRootKey()];
    const { root: inForce } = await loadForRotation(context, home);
    const next = await nextRoot(inForce, input, context);
    // Who is replaced by an own new card signs as one of the people before.
    const isListed = (await findForeignKey(next, keys, rootKey)) === undefined;
    if (!isListed) await requireOwnKeys(inForce, keys, rootKey);
    const client = await connect(context, home, keys.signer);
    const predecessor = await findPredecessor(home, client, inForce);

    const ceremony = signCeremony(startCeremony(next, predecessor), keys, rootKey);
    const out = getOption(input, 'out');
    await withOutputDirectory(out, (directory) => saveCeremony(directory, ceremony));
    await tellCeremony(context.out, ceremony, out, true);
  },
};

async function nextRoot(
  inForce: TrustRoot,
  input: Input,
  context: Pick<Context, 'now'>,
): Promise<TrustRoot> {
  const people = await nextPeople(inForce, input, new Date(context.now()));
  const days = wholeNumber(getOption(input, 'expires'), '--expires', 1, 1825);
  const count = (name: string, flag: string, min: number, before: number): number => {
    const text = findOption(input, name);
    return text === undefined ? before : wholeNumber(text, flag, min, people.size);
  };
  const next = {
    ...inForce,
    version: inForce.version + 1,
    expires: formatTime(context.now() + days * DAY_MS),
    people,
    directiveThreshold: count('threshold', '--threshold', 1, inForce.directiveThreshold),
    shareThreshold: count('shareThreshold', '--share-threshold', 2, inForce.shareThreshold),
    ...(await nextVouchers(inForce, input)),
    ...(await nextWitnesses(inForce, input)),
    ...(await nextServerKeys(inForce, findOption(input, 'server'))),
    ...(hasFlag(input, 'removeCustodian') && { custodian: undefined }),
  };
  if (next.shareThreshold < 2) {
    throw new UsageError('a key takes at least two shares', 'give --share-threshold 2 or more');
  }
  return next;
}

async function nextPeople(
  inForce: TrustRoot,
  input: Input,
  now: Date,
): Promise<TrustRoot['people']> {
  const people = new Map(inForce.people);
  const removed = listOption(input, 'remove');
  for (const id of removed) {
    if (!people.delete(id)) throw new UsageError(`${id} is no officer in root ${inForce.version}`);
  }
  const carded = new Set<string>();
  for (const path of listOption(input, 'officer')) {
    const officer = officerOf(await readOfficerCard(path, now));
    if (carded.has(officer.id)) throw new UsageError(`two cards are of ${officer.id}`);
    if (removed.includes(officer.id)) {
      throw new UsageError(`${officer.id} cannot leave and stay`, 'a new card alone replaces keys');
    }
    carded.add(officer.id);
    people.set(officer.id, officer);
  }
  return people;
}

/** A policy lists them all, so with one there is nothing to add or to take away. */
async function nextWitnesses(
  inForce: TrustRoot,
  input: Input,
): Promise<Pick<TrustRoot, 'witnesses' | 'witnessPolicy'>> {
  const path = findOption(input, 'witnessPolicy');
  const isChanged = ['witness', 'removeWitness'].some((name) => listOption(input, name).length > 0);
  if (isChanged && (path ?? inForce.witnessPolicy) !== undefined) {
    throw new UsageError(
      'the root has a witness policy, which lists all witnesses',
      'give a new one alone: --witness-policy FILE',
    );
  }
  if (path !== undefined) return readWitnessPolicy(path);
  return { witnesses: changedWitnesses(inForce, input) };
}

function changedWitnesses(inForce: TrustRoot, input: Input): readonly NoteVerifier[] {
  const added = listOption(input, 'witness').map(parseWitness);
  const removed = listOption(input, 'removeWitness');
  for (const name of removed) {
    if (!inForce.witnesses.some((it) => it.name === name)) {
      throw new UsageError(`${name} is no witness in root ${inForce.version}`);
    }
  }
  return [...inForce.witnesses.filter(({ name }) => !removed.includes(name)), ...added];
}

function parseWitness(text: string): NoteVerifier {
  try {
    return parseVerifierKey(text);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new UsageError(`"${text}" is no key of a witness`, 'one looks like NAME+HASH+KEY');
  }
}

/** Log and token key are the server's identity; this release cannot exchange them while it runs. */
async function nextServerKeys(
  inForce: TrustRoot,
  path: string | undefined,
): Promise<Partial<TrustRoot>> {
  if (path === undefined) return {};
  const card = await readServerCard(path);
  const log = parseVerifierKey(card.logKey);
  const isSame =
    card.origin === inForce.origin &&
    log.publicKey === inForce.logKey.publicKey &&
    card.tokenKey === inForce.tokenKey;
  if (!isSame) {
    throw new UsageError(
      'the card is of another server, or has another log or token key',
      'only online and custody keys are renewed: node server/main.ts card --renew',
    );
  }
  return {
    snapshotKey: parseEd25519PublicKey(card.snapshotKey),
    timestampKey: parseEd25519PublicKey(card.timestampKey),
    ...custodianOf(card),
  };
}
