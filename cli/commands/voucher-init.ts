import { signerFromSeed } from '../../platform/ed25519.ts';
import { generateKey } from '../../protocol/embargo/age.ts';
import { personId, printableName } from '../../protocol/encoding/shape.ts';
import {
  findOption,
  getOption,
  type Command,
  type Context,
  type Input,
  type OptionSpec,
} from '../command.ts';
import { CliError, UsageError } from '../errors.ts';
import { writeAtomically, writeNew } from '../home/files.ts';
import { openHome } from '../home/home.ts';
import type { EndorserCard, ReviewerCard } from '../trust/cards.ts';

const OUT: OptionSpec = {
  flag: '--out <file>',
  description: 'write the card there instead of printing it',
};
const ID: OptionSpec = {
  flag: '--id <id>',
  description: 'short name in the trust root: a-z, 0-9, -',
  required: true,
};

export const reviewerInitCommand: Command = {
  name: 'reviewer init',
  group: 'reviewer',
  summary: 'Make the keys of a firm that reviews patches, and print the public card',
  options: [
    ID,
    { flag: '--name <firm>', description: 'the firm, as everybody knows it', required: true },
    OUT,
  ],
  example: 'sealdrop reviewer init --id acme --name "Acme Audits" --out acme.card.json',

  async run(input, context) {
    const { id, name } = readParty(input);
    const home = openHome(context);
    if ((await home.findReviewerKeys()) !== undefined) refuseSecond(home.path('keys'), 'reviewer');
    const seed = context.randomBytes(32);
    const age = await generateKey();
    const card: ReviewerCard = {
      format: 'sealdrop-reviewer-card/v1',
      id,
      name,
      key: signerFromSeed(seed).publicKey,
      age: age.recipient,
    };
    const keep = (): Promise<void> =>
      home.writeReviewerKeys({ id, seed, ageIdentity: age.identity });
    await handOut(input, context, card, 'reviewer-card.json', keep);
  },
};

export const endorserInitCommand: Command = {
  name: 'endorser init',
  group: 'reviewer',
  summary: 'Make the key of somebody who repeats commitments in public, and print the card',
  options: [
    ID,
    { flag: '--name <name>', description: 'the name that people know', required: true },
    OUT,
  ],
  example: 'sealdrop endorser init --id max --name "Max Muster" --out max.card.json',

  async run(input, context) {
    const { id, name } = readParty(input);
    const home = openHome(context);
    if ((await home.findEndorserKeys()) !== undefined) refuseSecond(home.path('keys'), 'endorser');
    const seed = context.randomBytes(32);
    const card: EndorserCard = {
      format: 'sealdrop-endorser-card/v1',
      id,
      name,
      key: signerFromSeed(seed).publicKey,
    };
    await handOut(input, context, card, 'endorser-card.json', () =>
      home.writeEndorserKeys({ id, seed }),
    );
  },
};

function readParty(input: Input): { readonly id: string; readonly name: string } {
  const [id, name] = [getOption(input, 'id'), getOption(input, 'name')];
  if (!personId.safeParse(id).success) {
    throw new UsageError(`"${id}" is not an id`, 'up to 32 of a-z, 0-9 and -');
  }
  if (!printableName.safeParse(name).success) {
    throw new UsageError('--name is not a name', 'up to 100 characters of printable ASCII');
  }
  return { id, name };
}

function refuseSecond(path: string, role: string): never {
  throw new CliError(`this home has a ${role}'s keys already: ${path}`, 'nothing was changed');
}

/** Print the card, or write it where it was asked for; a copy stays in the home beside the keys. */
async function handOut(
  input: Input,
  context: Context,
  card: ReviewerCard | EndorserCard,
  file: string,
  keepKeys: () => Promise<void>,
): Promise<void> {
  const home = openHome(context);
  const json = JSON.stringify(card, null, 2);
  const out = findOption(input, 'out');
  if (out !== undefined) await writeNew(out, `${json}\n`);
  await writeAtomically(home.path(file), `${json}\n`);
  await keepKeys();
  if (out === undefined) context.out.line(json);
  context.out.note(`keys are in ${home.path('keys')}; back them up, encrypted`);
  context.out.note('next: give the card to the officers, and confirm the key by voice:');
  context.out.note(card.key);
  context.out.summary({ card, home: home.directory });
}
