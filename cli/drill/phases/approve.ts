import { join } from 'node:path';
import { THRESHOLD, type World } from '../world.ts';

/** An officer's draft of the sealed campaign, as `seal` handed it over. */
export function draftOf(campaignDir: string, officer: string): string {
  return join(campaignDir, 'sealed', `draft.${officer}.age`);
}

/**
 * The second and third officer look at what the first one proposed and sign it.
 *
 * The last of them completes the move, and does what goes with it.
 */
export async function approveByOthers(
  { others }: World,
  campaign: string,
  campaignDir: string,
): Promise<void> {
  for (const officer of others.slice(0, THRESHOLD - 1)) {
    await officer.run('approve', [campaign], {
      draft: draftOf(campaignDir, officer.id),
      yes: true,
    });
  }
}
