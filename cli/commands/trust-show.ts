import { parseTime } from '../../protocol/encoding/time.ts';
import { connect } from '../client/connect.ts';
import { loadTrust, refreshTrust } from '../client/trust.ts';
import { hasFlag, type Command } from '../command.ts';
import { openHome } from '../home/home.ts';
import { describeRoot, rootLines } from '../trust/description.ts';

export const trustShowCommand: Command = {
  name: 'trust show',
  group: 'all',
  summary: 'Show whom this home trusts, and how far it has seen the log',
  options: [{ flag: '--refresh', description: 'ask the server for newer roots first' }],
  example: 'sealdrop trust show',

  async run(input, context) {
    const home = openHome(context);
    const { server } = await home.config();
    const trust = hasFlag(input, 'refresh')
      ? await refreshTrust(home, await connect(context, home))
      : await loadTrust(home);
    const { checkpoint } = await home.state.read();
    const description = await describeRoot(trust.root);
    const isExpired = context.now() >= parseTime(trust.root.expires);

    context.out.line(`server         ${server}`);
    context.out.line(`pinned root    ${trust.pin}`);
    for (const line of rootLines(description)) context.out.line(line);
    context.out.line(
      checkpoint === null
        ? 'log            not seen yet'
        : `log            seen with ${checkpoint.size} entries`,
    );
    if (isExpired) {
      context.out.warn('this root has expired; run: sealdrop trust show --refresh');
    }
    context.out.summary({
      server,
      rootSha256: trust.pin,
      ...description,
      isExpired,
      checkpoint: checkpoint?.note ?? null,
    });
  },
};
