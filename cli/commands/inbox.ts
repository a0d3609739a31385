import { join } from 'node:path';
import { officerKeys } from '../../protocol/contact/openpgp.ts';
import { readContactKey } from '../../protocol/contact/key.ts';
import { utf8Encode } from '../../protocol/encoding/bytes.ts';
import { findOption, type Command } from '../command.ts';
import { readMessage } from '../mail/read-message.ts';
import { openOperatorSession } from '../operator/session.ts';
import { writeFiles } from '../operator/write-files.ts';

export const inboxCommand: Command = {
  name: 'inbox',
  group: 'operator',
  summary: 'List campaigns for you, and save their messages when mail did not arrive',
  options: [{ flag: '--save <dir>', description: 'decrypt messages into folders below this one' }],
  example: 'sealdrop inbox --save ./messages',

  async run(input, context) {
    const session = await openOperatorSession(context);
    const entries = await session.client.inbox();
    const parent = findOption(input, 'save');
    const { out } = context;
    const saved: string[] = [];
    if (entries.length === 0) out.line('nothing for you');
    for (const { campaign, messages, statements } of entries) {
      const { campaign: id, status, releaseTime, exercise } = campaign;
      out.line(`${id}  ${status}  T0 ${releaseTime}${exercise ? '  EXERCISE' : ''}`);
      out.line(`  you said: ${statements.join(', ') || 'nothing yet'}`);
      if (parent === undefined) continue;
      const key = await readContactKey(session.keys.openpgp);
      const officers = await officerKeys(session.trust.root.people.values());
      for (const { kind, armored } of messages) {
        const mail = await readMessage(utf8Encode(armored), key, officers, new Date(context.now()));
        const folder = join(parent, `${id}.${kind}`);
        await writeFiles(folder, [['message.txt', utf8Encode(mail.text)], ...mail.attachments]);
        out.line(`  ${kind} by officer ${mail.from} saved to ${folder}`);
        saved.push(folder);
      }
    }
    out.summary({
      campaigns: entries.map(({ campaign, statements }) => ({ ...campaign, statements })),
      saved,
    });
  },
};
