import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EXIT } from '../../exit-code.ts';
import { CommandFailed } from '../actor.ts';
import { forEachOf, type World } from '../world.ts';
import { approveByOthers } from './approve.ts';
import type { Staged } from './stage.ts';

/** The ciphertext is signed and handed out; whoever asks for the key early gets nothing. */
export async function armCampaign(world: World, staged: Staged): Promise<void> {
  const { lead, operators, narrator } = world;
  const { campaign, dir } = staged;
  await lead.run('arm', [campaign]);
  await approveByOthers(world, campaign, dir);

  const reached = operators.filter(({ model }) => model.patchedAfter !== undefined);
  let done = 0;
  await forEachOf(reached, 24, async (operator) => {
    await operator.run('prefetch', [campaign], { variant: operator.model.variant });
    narrator.progress(++done, reached.length, 'operators hold the ciphertext');
  });
  narrator.said(`${reached.length} operators hold and verified the ciphertext`);

  await refusedEarly(world, campaign);
  narrator.said('asked for the patch early: refused with exit code 3, nothing written');
}

async function refusedEarly({ operators, dir }: World, campaign: string): Promise<void> {
  const operator = operators.find(({ model }) => model.patchedAfter !== undefined);
  if (operator === undefined) throw new Error('no operator was reached');
  const out = join(dir, 'early');
  try {
    await operator.run('fetch', [campaign], { variant: operator.model.variant, out });
  } catch (error) {
    if (!(error instanceof CommandFailed) || error.code !== EXIT.notReleased) throw error;
    const left = await stat(out).catch(() => undefined);
    if (left !== undefined)
      throw new Error('an early fetch left something behind', { cause: error });
    return;
  }
  throw new Error('the patch was handed out before T0');
}
