import { officerKeys } from '../../protocol/contact/detached.ts';
import { loadTrust } from '../client/trust.ts';
import { argument, findOption, type Command } from '../command.ts';
import { readInputFile } from '../home/files.ts';
import { openHome } from '../home/home.ts';
import { readMessage } from '../mail/read-message.ts';
import { writeFiles } from '../operator/write-files.ts';

const MAX_MAIL_BYTES = 16 * 1024 * 1024;

export const verifyMessageCommand: Command = {
  name: 'verify-message',
  group: 'operator',
  summary: 'Decrypt a mail and check that an officer wrote every word of it',
  args: [{ name: 'file', description: 'the saved mail (.eml), or its PGP block alone' }],
  options: [{ flag: '--out <dir>', description: 'new folder for its attachments' }],
  example: 'sealdrop verify-message notice.eml --out ./notice',

  async run(input, context) {
    const home = openHome(context);
    const { openpgp } = await home.operatorKeys();
    const { root } = await loadTrust(home);
    const bytes = await readInputFile(argument(input, 0), MAX_MAIL_BYTES);
    const officers = await officerKeys(root.people.values());
    const mail = await readMessage(bytes, openpgp, officers, new Date(context.now()));
    const directory = findOption(input, 'out');
    if (directory !== undefined && mail.attachments.size > 0) {
      await writeFiles(directory, mail.attachments);
    }
    const { out } = context;
    out.line(`signed by officer ${mail.from} on ${mail.date.toISOString()}`);
    out.line(`subject: ${mail.subject}`);
    out.line('');
    out.line(mail.text);
    for (const [name, content] of mail.attachments) {
      out.line(`attached: ${name}, ${content.length} bytes`);
    }
    out.summary({
      from: mail.from,
      subject: mail.subject,
      date: mail.date.toISOString(),
      messageId: mail.messageId,
      exercise: mail.exercise,
      attachments: [...mail.attachments.keys()],
      out: directory ?? null,
    });
  },
};
