import { connect } from '../client/connect.ts';
import { refreshTrust } from '../client/trust.ts';
import type { Command } from '../command.ts';
import { openHome } from '../home/home.ts';
import { refreshCheckpoint } from '../log/checkpoint.ts';
import { findLogKeys } from '../log/log-keys.ts';
import { serverSource } from '../log/source.ts';
import { collectProofs } from '../receipts/collect.ts';
import { listStored } from '../receipts/stored.ts';

export const receiptCollectCommand: Command = {
  name: 'receipt collect',
  group: 'operator',
  summary: 'Turn the promises in receipts/ into proofs that the log holds what you said',
  example: 'sealdrop receipt collect',

  async run(_input, context) {
    const { out } = context;
    const home = openHome(context);
    const client = await connect(context, home);
    const { root } = await refreshTrust(home, client);
    const stored = await listStored(home, await findLogKeys(home, undefined));
    const pending = stored.filter(({ proof }) => proof === undefined);
    const source = serverSource(client);
    const state = await refreshCheckpoint(home, source, root);
    const collected = await collectProofs(source, state, pending);
    for (const { paths } of collected) out.line(paths.proof);
    const left = pending.length - collected.length;
    if (left > 0) out.note(`${left} not in the log yet; see: sealdrop receipt check`);
    if (stored.length === 0) out.note('this home has no receipts');
    out.summary({
      collected: collected.map(({ paths }) => paths.proof),
      pending: left,
      had: stored.length - pending.length,
    });
  },
};
