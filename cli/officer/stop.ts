import type { Home } from '../home/home.ts';

const STOPPED = 'stopped';

/** From now on this home's agent publishes no release share of the campaign. */
export async function stopOwnAgent(home: Home, campaign: string): Promise<void> {
  await home.campaign(campaign).write(STOPPED, 'this officer signed an abort\n');
}

/** Whether this officer has signed an abort: one signature stops the signer's own agent at once. */
export async function isStopped(home: Home, campaign: string): Promise<boolean> {
  return (await home.campaign(campaign).find(STOPPED)) !== undefined;
}

/** Where to find the file that stops the agent, for an officer whose abort came to nothing. */
export function stopPath(home: Home, campaign: string): Promise<string> {
  return home.campaign(campaign).path(STOPPED);
}
