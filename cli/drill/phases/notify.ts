import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { MailSink } from '../mail-sink.ts';
import { forEachOf, type Operator, type World } from '../world.ts';
import { approveByOthers, draftOf } from './approve.ts';
import type { Staged } from './stage.ts';

/** How long the last mail may take; a mail worker that hangs must not hang the rehearsal. */
const MAIL_TIMEOUT_MS = 60_000;

/** Private notices go out by mail; operators check them against the public commitment and answer. */
export async function notifyOperators(world: World, staged: Staged, sink: MailSink): Promise<void> {
  const { lead, operators, narrator } = world;
  const { campaign, dir } = staged;
  const before = sink.count();
  await lead.run('notify', [campaign], { draft: draftOf(dir, lead.id) });
  await approveByOthers(world, campaign, dir);
  await arrived(world, sink, before + operators.length);
  narrator.said(`${operators.length} encrypted notices delivered over SMTP`);

  const reached = operators.filter(({ model }) => model.patchedAfter !== undefined);
  let done = 0;
  await forEachOf(reached, 24, async (operator) => {
    await acknowledge(world, operator, campaign, sink);
    narrator.progress(++done, reached.length, 'operators have checked the notice and are ready');
  });
  narrator.said(
    `${reached.length} operators verified the notice against the commitment, ` +
      `acknowledged it and are ready; ${operators.length - reached.length} were not reached`,
  );
}

async function acknowledge(
  world: World,
  operator: Operator,
  campaign: string,
  sink: MailSink,
): Promise<void> {
  const mailbox = join(sink.dir, operator.email);
  const [message] = await readdir(mailbox);
  const out = join(world.dir, 'read', operator.name);
  await operator.run('verify-message', [join(mailbox, String(message))], { out });
  await operator.run('verify-notice', [join(out, 'notice.txt')], { list: join(out, 'COMMITMENT') });
  await operator.run('ack', [campaign]);
  await operator.run('ready', [campaign]);
}

/** Wait until the mailboxes hold `count` messages altogether. */
export async function arrived(
  { context, narrator }: World,
  sink: MailSink,
  count: number,
): Promise<void> {
  const deadline = context.now() + MAIL_TIMEOUT_MS;
  while (sink.count() < count) {
    if (context.now() > deadline) {
      throw new Error(`only ${sink.count()} of ${count} mails arrived`);
    }
    narrator.progress(sink.count(), count, 'mails delivered');
    await context.sleep(100);
  }
}
