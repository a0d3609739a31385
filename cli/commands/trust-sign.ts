import { ProtocolError } from '../../protocol/errors.ts';
import { checkNotExpired } from '../../protocol/trust/root-verify.ts';
import { argument, hasFlag, type Command } from '../command.ts';
import { openHome, type Home } from '../home/home.ts';
import { findForeignKey, requireOwnKeys } from '../trust/cards.ts';
import {
  findVersion,
  loadCeremony,
  saveCeremony,
  signCeremony,
  type Ceremony,
} from '../trust/ceremony.ts';
import { loadForRotation } from '../trust/in-force.ts';
import { readPredecessor } from '../trust/succession.ts';
import { tellCeremony } from '../trust/tell.ts';

export const trustSignCommand: Command = {
  name: 'trust sign',
  group: 'officer',
  summary: 'Add your signatures to a root of trust that trust init or trust rotate wrote',
  args: [{ name: 'dir', description: 'folder with root.json and targets.json' }],
  options: [
    {
      flag: '--replaced',
      description: 'the new root lists other keys for you, which you made: sign with your old ones',
    },
  ],
  example: 'sealdrop trust sign ./trust',

  async run(input, context) {
    const home = openHome(context);
    const [keys, rootKey] = [await home.officerKeys(), await home.officerRootKey()];
    const directory = argument(input, 0);
    const isFirst = (await findVersion(directory)) === 1;
    // Who signs a successor has to know from the pin on what it succeeds.
    const inForce = isFirst ? undefined : (await loadForRotation(context, home)).root;
    const before = await loadCeremony(
      directory,
      inForce && (await readPredecessor(directory, inForce)),
    );
    checkNotExpired(before.root, context.now());
    await requireSay(before, home, hasFlag(input, 'replaced'));

    // One more signature would change the digest, which may be published already.
    const after = before.digest === undefined ? signCeremony(before, keys, rootKey) : before;
    const isDone = isSame(before, after);
    if (isDone) {
      const reason =
        before.digest === undefined ? 'you have signed already' : 'enough people have signed';
      context.out.note(`nothing was added: ${reason}`);
    } else {
      await saveCeremony(directory, after);
    }
    await tellCeremony(context.out, after, directory, !isDone);
  },
};

/**
 * Check that what a root lists for us is ours. Who leaves, or has got new keys, signs as one of the
 * people before; that their keys are replaced, they have to say themselves.
 */
async function requireSay(
  { root, predecessor }: Ceremony,
  home: Home,
  isReplaced: boolean,
): Promise<void> {
  const [keys, rootKey] = [await home.officerKeys(), await home.officerRootKey()];
  const foreign = await findForeignKey(root, keys, rootKey);
  if (foreign === undefined) return;
  const isLeaving = foreign === 'id';
  if (predecessor === undefined || !(isLeaving || isReplaced)) {
    if (predecessor === undefined) return requireOwnKeys(root, keys, rootKey);
    throw new ProtocolError(
      'trust_invalid',
      `the ${foreign} key listed for ${keys.id} is not the one in this home; do not sign it, ` +
        'unless you made that key yourself and say so: --replaced',
    );
  }
  await requireOwnKeys(predecessor.root, keys, rootKey);
}

function isSame(before: Ceremony, after: Ceremony): boolean {
  return (
    before.rootFile.length === after.rootFile.length &&
    before.targetsFile.length === after.targetsFile.length
  );
}
