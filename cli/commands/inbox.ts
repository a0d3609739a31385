import { join } from 'node:path';
import { OutputExistsError } from '../../platform/files.ts';
import { custodyText } from '../../protocol/plan/server-custody.ts';
import { officerKeys } from '../../protocol/contact/detached.ts';
import { readContactKey } from '../../protocol/contact/key.ts';
import { utf8Encode } from '../../protocol/encoding/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { InboxEntry } from '../client/client.ts';
import { overdueError, overdueText } from '../client/overdue.ts';
import { findOption, type Command } from '../command.ts';
import { VerificationError } from '../errors.ts';
import { readMessage } from '../mail/read-message.ts';
import { BREAK_GLASS_TEXT } from '../../protocol/embargo/publications.ts';
import { findOverdue } from '../operator/overdue.ts';
import { openOperatorSession, type OperatorSession } from '../operator/session.ts';
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
    const { out } = context;
    if (entries.length === 0) out.line('nothing for you');
    for (const { campaign, statements } of entries) {
      const { campaign: id, status, releaseTime, exercise } = campaign;
      out.line(`${id}  ${status}  T0 ${releaseTime}${exercise ? '  EXERCISE' : ''}`);
      if (campaign.breakGlass.state === 'broken' || campaign.breakGlass.published.length > 0) {
        out.warn(`${id}: ${BREAK_GLASS_TEXT}`);
      }
      const custody = custodyText(campaign.shares.server, campaign.shares.threshold);
      if (custody !== undefined) out.warnOnce(`${id}: ${custody}`);
      out.line(`  you said: ${statements.join(', ') || 'nothing yet'}`);
    }
    const parent = findOption(input, 'save');
    const { saved, refused } =
      parent === undefined
        ? { saved: [], refused: [] }
        : await saveMessages(session, entries, parent);
    const overdue = await findOverdue(session, entries);
    for (const it of overdue) out.warn(overdueText(it));
    out.summary({
      campaigns: entries.map(({ campaign, statements }) => ({ ...campaign, statements })),
      saved,
      refused,
      overdue,
    });
    if (refused.length === 0) {
      if (overdue.length > 0) throw overdueError(overdue);
      return;
    }
    throw new VerificationError(
      `not by an officer: ${refused.join(', ')}`,
      'do not act on it; tell the foundation that the server hands it out',
    );
  },
};

/** Decrypt every message into a folder of its own. One that is not an officer's hides no other. */
async function saveMessages(
  { context, keys, trust }: OperatorSession,
  entries: readonly InboxEntry[],
  parent: string,
): Promise<{ saved: readonly string[]; refused: readonly string[] }> {
  const key = await readContactKey(keys.openpgp);
  const officers = await officerKeys(trust.root.people.values());
  const saved: string[] = [];
  const refused: string[] = [];
  for (const { campaign, messages } of entries) {
    for (const [i, { kind, directive, armored }] of messages.entries()) {
      const isFirst = kind !== 'turn' && messages.findIndex((it) => it.kind === kind) === i;
      const name = `${campaign.campaign}.${kind}${isFirst ? '' : `-${directive}`}`;
      const folder = join(parent, name);
      try {
        const mail = await readMessage(utf8Encode(armored), key, officers, new Date(context.now()));
        await writeFiles(folder, [['message.txt', utf8Encode(mail.text)], ...mail.attachments]);
        context.out.line(`${kind} by officer ${mail.from} saved to ${folder}`);
        saved.push(folder);
      } catch (error) {
        if (error instanceof OutputExistsError) {
          context.out.note(`${folder} is there already`);
        } else if (error instanceof ProtocolError) {
          context.out.warn(`the ${kind} of ${campaign.campaign} is refused: ${error.message}`);
          refused.push(name);
        } else {
          throw error;
        }
      }
    }
  }
  return { saved, refused };
}
