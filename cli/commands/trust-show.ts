import { parseTime } from '../../protocol/encoding/time.ts';
import { connect } from '../client/connect.ts';
import { loadTrust, refreshAsListed } from '../client/trust.ts';
import { hasFlag, type Command } from '../command.ts';
import { openHome } from '../home/home.ts';
import { changeLine, describeRoot, rootLines } from '../trust/description.ts';
import { historyOf, verifyHistory } from '../trust/history.ts';

export const trustShowCommand: Command = {
  name: 'trust show',
  group: 'all',
  summary: 'Show whom this home trusts since when, and how far it has seen the log',
  options: [
    {
      flag: '--refresh',
      description: 'ask for newer roots first, and prove that the log holds every one',
    },
  ],
  example: 'sealdrop trust show',

  async run(input, context) {
    const home = openHome(context);
    const { server } = await home.config();
    const client = hasFlag(input, 'refresh') ? await connect(context, home) : undefined;
    const trust =
      client === undefined ? await loadTrust(home) : await refreshAsListed(home, client);
    const history = historyOf(trust);
    const waiting = client && (await verifyHistory(home, client, trust));
    const logged = waiting && history.length - waiting.length;
    const { checkpoint } = await home.state.read();
    const description = await describeRoot(trust.root);
    const isExpired = context.now() >= parseTime(trust.root.expires);

    context.out.line(`server         ${server}`);
    context.out.line(`pinned root    ${trust.pin}`);
    for (const line of rootLines(description)) context.out.line(line);
    for (const { version, sha256, changes } of history) {
      context.out.line(`root ${version}`.padEnd(15) + sha256);
      for (const change of changes) context.out.line(`  ${changeLine(change)}`);
    }
    if (logged !== undefined) {
      context.out.line(`in the log     ${logged} of ${history.length} roots, proved`);
    }
    for (const version of waiting ?? []) {
      context.out.warn(
        `root ${version} is not in the log yet: ask again in a few minutes; if it stays so, others may not have been shown it`,
      );
    }
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
      history,
      rootsInLog: logged ?? null,
      checkpoint: checkpoint?.note ?? null,
    });
  },
};
