import { generateContactKey } from '../../protocol/contact/contact-key.ts';
import { generateKey } from '../../protocol/embargo/age.ts';
import { personId } from '../../protocol/encoding/shape.ts';
import { signerFromSeed } from '../../platform/ed25519.ts';
import { findOption, getOption, type Command } from '../command.ts';
import { CliError, UsageError } from '../errors.ts';
import { findSecret, writeAtomically, writeNew } from '../home/files.ts';
import { openHome } from '../home/home.ts';
import type { OfficerCard } from '../trust/cards.ts';

export const officerInitCommand: Command = {
  name: 'officer init',
  group: 'officer',
  summary: "Make an officer's keys and print the public card",
  options: [
    { flag: '--id <id>', description: 'short name in the trust root: a-z, 0-9, -', required: true },
    { flag: '--name <name>', description: 'name in the OpenPGP key; the id by default' },
    { flag: '--email <address>', description: 'address in the OpenPGP key; made up by default' },
    { flag: '--out <file>', description: 'write the card there instead of printing it' },
  ],
  example: 'sealdrop officer init --id alice --out alice.card.json',

  async run(input, context) {
    const id = getOption(input, 'id');
    if (!personId.safeParse(id).success) {
      throw new UsageError(`"${id}" is not an officer id`, 'up to 32 of a-z, 0-9 and -');
    }
    const home = openHome(context);
    for (const file of ['officer.json', 'officer-root.json']) {
      if ((await findSecret(home.path('keys', file))) !== undefined) {
        throw new CliError(
          `this home has an officer's keys already: ${home.path('keys', file)}`,
          `nothing was changed; the card is ${home.path('officer-card.json')}`,
        );
      }
    }

    const [rootSeed, seed] = [context.randomBytes(32), context.randomBytes(32)];
    const age = await generateKey();
    const name = findOption(input, 'name') ?? id;
    const email = findOption(input, 'email') ?? `${id}@officers.sealdrop.invalid`;
    const openpgp = await generateContactKey({ name, email }, new Date(context.now()));
    const card: OfficerCard = {
      format: 'sealdrop-officer-card/v1',
      id,
      root: signerFromSeed(rootSeed).publicKey,
      signing: signerFromSeed(seed).publicKey,
      age: age.recipient,
      openpgp: openpgp.publicKey,
    };
    const json = JSON.stringify(card, null, 2);

    const out = findOption(input, 'out');
    if (out !== undefined) await writeNew(out, `${json}\n`);
    await writeAtomically(home.path('officer-card.json'), `${json}\n`);
    await home.writeOfficerKeys(
      { id, seed, ageIdentity: age.identity, openpgp: openpgp.privateKey },
      { id, seed: rootSeed },
    );

    if (out === undefined) context.out.line(json);
    context.out.note(`keys are in ${home.path('keys')}; back them up, encrypted`);
    context.out.note('move keys/officer-root.json offline: only trust init and trust sign need it');
    context.out.note(`next: give the card to whoever runs trust init, and confirm the OpenPGP`);
    context.out.note(`fingerprint ${openpgp.fingerprint} by voice`);
    context.out.summary({ card, fingerprint: openpgp.fingerprint, home: home.directory });
  },
};
