import { checkNotExpired } from '../../protocol/trust/root.ts';
import { argument, type Command } from '../command.ts';
import { openHome } from '../home/home.ts';
import { requireOwnKeys } from '../trust/cards.ts';
import { loadCeremony, saveCeremony, signCeremony } from '../trust/ceremony.ts';
import { tellCeremony } from '../trust/tell.ts';

export const trustSignCommand: Command = {
  name: 'trust sign',
  group: 'officer',
  summary: 'Add your signatures to the root of trust that trust init wrote',
  args: [{ name: 'dir', description: 'folder with root.json and targets.json' }],
  example: 'sealdrop trust sign ./trust',

  async run(input, context) {
    const home = openHome(context);
    const [keys, rootKey] = [await home.officerKeys(), await home.officerRootKey()];
    const directory = argument(input, 0);
    const before = await loadCeremony(directory);
    checkNotExpired(before.root, context.now());
    await requireOwnKeys(before.root, keys, rootKey);

    // One more signature would change the digest, which may be published already.
    const isDone = before.missing === 0 || before.people.includes(keys.id);
    if (isDone) {
      const reason = before.missing === 0 ? 'enough people have signed' : 'you have signed already';
      context.out.note(`nothing was added: ${reason}`);
      await tellCeremony(context.out, before, directory, false);
      return;
    }
    const after = signCeremony(before, keys, rootKey);
    await saveCeremony(directory, after);
    await tellCeremony(context.out, after, directory, true);
  },
};
