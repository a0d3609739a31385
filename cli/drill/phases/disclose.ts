import type { MailSink } from '../mail-sink.ts';
import type { World } from '../world.ts';
import { approveByOthers, draftOf } from './approve.ts';
import { arrived } from './notify.ts';
import { startAgents } from './release.ts';
import type { Staged } from './stage.ts';

/** How long agents and server may take to open the documents. */
const OPENING_TIMEOUT_MS = 60_000;

/** Officers disclose, agents give their shares of the closing key, and everything is opened. */
export async function disclose(world: World, staged: Staged, sink: MailSink): Promise<void> {
  const { lead, others, operators, context, narrator } = world;
  const { campaign, dir } = staged;
  const before = sink.count();
  await lead.run('disclose', [campaign], { draft: draftOf(dir, lead.id) });
  await approveByOthers(world, campaign, dir);
  await using agents = startAgents(world, dir);
  const deadline = context.now() + OPENING_TIMEOUT_MS;
  while ((await others[0]?.run('status', [campaign]))?.['opened'] !== true) {
    if (context.now() > deadline) throw new Error('the documents were not opened');
    await context.sleep(500);
  }
  await agents.stop();
  narrator.said('documents opened; they match the public commitment');
  await arrived(world, sink, before + operators.length);
  narrator.said(`${operators.length} closing mails delivered`);
}
