import { readFileBounded } from '../../platform/read-file.ts';
import { openClosing } from '../../protocol/embargo/closing-bundle.ts';
import { fetchChain, hasChain, loadChain, type Chain } from '../client/chain.ts';
import { withAnswerLimit } from '../client/http.ts';
import { warnOfServerCustody } from '../client/server-custody.ts';
import { argument, getOption, listOption, type Command } from '../command.ts';
import { keepCiphertext } from '../operator/ciphertext.ts';
import { findClosingKey, requireDisclosed } from '../operator/disclosure.ts';
import { mirrorsNamed } from '../client/decisions.ts';
import { MIRROR_SOURCE_OPTION } from '../client/mirror-option.ts';
import { listenTo } from '../operator/newest-chain.ts';
import { connectToRead, openToRead, type ReaderSession } from '../operator/session.ts';
import { requireFree, writeFiles } from '../operator/write-files.ts';

export const disclosureCommand: Command = {
  name: 'disclosure',
  group: 'all',
  summary: 'Open everything that was committed to, once disclosed; the server need not help',
  args: [{ name: 'id', description: 'campaign id' }],
  options: [
    { flag: '--out <dir>', description: 'new folder for the documents', required: true },
    MIRROR_SOURCE_OPTION,
  ],
  example: 'sealdrop disclosure SDX-2026-7KQ4 --mirror /mnt/mirror --out ./disclosed',

  async run(input, context) {
    const id = argument(input, 0);
    const out = getOption(input, 'out');
    await requireFree(out);
    // Ciphertext may take as long as it takes; whatever else a server drags out is done without.
    const session = await openToRead(withAnswerLimit(context));
    const given = listOption(input, 'mirror');
    const chain = await findChain(session, id, given);
    warnOfServerCustody(context.out, chain.plan);
    requireDisclosed(chain, context.now());
    const { plan } = chain;
    const mirrors = mirrorsNamed(context, given, chain);
    const key = await findClosingKey(session, chain, mirrors);
    const { home } = session;
    const patient = { context, client: await connectToRead(context, home) };
    const bundle = plan.closingBundle;
    const path = await keepCiphertext(patient, home.campaign(id), bundle, mirrors);
    const ciphertext = await readFileBounded(path, bundle.size);
    const files = await openClosing(ciphertext, key, plan);
    await writeFiles(out, files);
    const names = [...files.keys()].sort();
    context.out.line(`${id}: ${names.length} files opened, each as committed to`);
    for (const name of names) context.out.line(`  ${out}/${name}`);
    context.out.note(`the public commitment, SHA-256 of COMMITMENT: ${plan.commitment}`);
    context.out.summary({ campaign: id, out, commitment: plan.commitment, files: names });
  },
};

/** From this home as far as nobody knows better; from the server where nothing is kept. */
async function findChain(
  session: ReaderSession,
  id: string,
  given: readonly string[],
): Promise<Chain> {
  const { context, home, trust } = session;
  const directory = home.campaign(id);
  if (!(await hasChain(directory))) return fetchChain(session, id);
  const hear = listenTo(session, (text) => {
    context.out.warn(text);
  });
  const stored = await loadChain(home, trust, directory);
  return hear(stored, mirrorsNamed(context, given, stored));
}
