import { join } from 'node:path';
import type { CommandTable } from './actor.ts';
import { hireCrew } from './crew.ts';
import { startMailSink } from './mail-sink.ts';
import { armCampaign } from './phases/arm.ts';
import { disclose } from './phases/disclose.ts';
import { enrolOperators } from './phases/enrol.ts';
import { foundTrust, type Founded } from './phases/found.ts';
import { notifyOperators } from './phases/notify.ts';
import { keepRecord, type Kept } from './phases/record.ts';
import { releasePatch, type Adoption } from './phases/release.ts';
import { stageCampaign, type Staged } from './phases/stage.ts';
import { populate, type World } from './world.ts';

/** What a rehearsal leaves behind. */
export interface Outcome {
  readonly founded: Founded;
  readonly staged: Staged;
  readonly adoption: Adoption;
  readonly kept: Kept;
}

/** How the rehearsal ends. */
export interface Ending {
  /** New folder of the record. */
  readonly out: string;
  /** Leave the server running. */
  readonly keep: boolean;
}

/** The campaign of August 2024, from five officers without keys to a record that anyone can audit. */
export async function tellStory(
  base: Pick<World, 'context' | 'dir' | 'model' | 'narrator'>,
  table: CommandTable,
  port: number,
  { out, keep }: Ending,
): Promise<Outcome> {
  await using crew = hireCrew(base.context);
  const world = populate(base, table, crew);
  const { narrator } = world;
  await using sink = await startMailSink(join(world.dir, 'mail'));
  const founded = await narrator.phase('Officers found the root of trust', () =>
    foundTrust(world, sink, port),
  );
  await using stack = new AsyncDisposableStack();
  stack.use(founded.server);
  await narrator.phase('Operators enrol', () => enrolOperators(world, founded));
  const staged = await narrator.phase('A patch is sealed and committed to in public', () =>
    stageCampaign(world),
  );
  await narrator.phase('Operators are told in private', () => notifyOperators(world, staged, sink));
  await narrator.phase('The ciphertext is handed out', () => armCampaign(world, staged));
  const adoption = await narrator.phase('T0: the key is released', () =>
    releasePatch(world, staged),
  );
  await narrator.phase('The disclosure is published', () => disclose(world, staged, sink));
  const kept = await narrator.phase('An auditor takes the record and checks it offline', () =>
    keepRecord(world, founded, staged, out),
  );
  if (keep) {
    founded.server.detach();
    stack.move();
  }
  return { founded, staged, adoption, kept };
}
