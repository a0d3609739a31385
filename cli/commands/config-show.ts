import type { Command } from '../command.ts';
import { openHome } from '../home/home.ts';

export const configShowCommand: Command = {
  name: 'config show',
  group: 'all',
  summary: 'Show where this home is, what it is set to and which keys it holds',
  example: 'sealdrop config show',

  async run(_input, context) {
    const home = openHome(context);
    const config = await home.findConfig();
    const officer = await home.findOfficerKeys();
    const operator = await home.findOperatorKeys();
    const campaigns = await home.campaigns();

    context.out.line(`home      ${home.directory}`);
    context.out.line(`server    ${config?.server ?? 'none; run: sealdrop trust add'}`);
    context.out.line(`pin       ${config?.rootSha256 ?? 'none'}`);
    context.out.line(`officer   ${officer?.id ?? 'no keys'}`);
    context.out.line(`operator  ${operator?.signer.publicKey ?? 'no keys'}`);
    context.out.line(`campaigns ${campaigns.length === 0 ? 'none' : campaigns.join(', ')}`);
    context.out.summary({
      home: home.directory,
      server: config?.server ?? null,
      rootSha256: config?.rootSha256 ?? null,
      officer: officer?.id ?? null,
      operator: operator?.signer.publicKey ?? null,
      campaigns,
    });
  },
};
