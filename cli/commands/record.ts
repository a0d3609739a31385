import { reportAudit } from '../audit/report.ts';
import { connect } from '../client/connect.ts';
import { refreshAsListed } from '../client/trust.ts';
import { argument, getOption, hasFlag, type Command } from '../command.ts';
import { openHome } from '../home/home.ts';
import { writeRecord } from '../record/write.ts';

export const recordCommand: Command = {
  name: 'record',
  group: 'auditor',
  summary: 'Export the whole record of a disclosed campaign, and audit it',
  args: [{ name: 'id', description: 'campaign id' }],
  options: [
    { flag: '--out <dir>', description: 'new folder for the record', required: true },
    { flag: '--unaudited', description: 'only write it, to be audited elsewhere' },
  ],
  example: 'sealdrop record SDX-2026-7KQ4 --out ./record',

  async run(input, context) {
    const id = argument(input, 0);
    const directory = getOption(input, 'out');
    const home = openHome(context);
    const client = await connect(context, home);
    const trust = await refreshAsListed(home, client);
    await writeRecord({ context, home, client, trust }, id, directory);
    if (hasFlag(input, 'unaudited')) {
      context.out.line(`record of ${id} written to ${directory}, not audited`);
      context.out.note(`then: sealdrop audit ${directory} --root-sha256 ${trust.pin}`);
      context.out.summary({ campaign: id, out: directory, result: 'unaudited' });
      return;
    }
    context.out.line(`record of ${id} written to ${directory}; auditing it`);
    const results = await reportAudit(context.out, { directory, rootSha256: trust.pin, home });
    const passed = results.filter(({ status }) => status === 'pass').length;
    context.out.line(`The record holds: ${passed} checks passed.`);
    context.out.note(
      `anybody can check it: sealdrop audit ${directory} --root-sha256 ${trust.pin}`,
    );
    context.out.summary({ campaign: id, out: directory, result: 'pass', passed, failed: 0 });
  },
};
