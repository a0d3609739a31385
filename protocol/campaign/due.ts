import { parseTime } from '../encoding/time.ts';
import type { KeyName } from '../plan/key-name.ts';
import type { CampaignState } from './campaign.ts';
import { MOVES } from './transitions.ts';

/**
 * Whether officers' shares of a split may be out, by directives and the reader's own clock.
 *
 * Shares of the release key from T0 on; of the closing key once disclosed or at the latest date. Those
 * of the break-glass split when the embargo was `leaked`; and from T0 on, when a beacon that never
 * comes holds the others back.
 *
 * @param now - Unix ms.
 */
export function isDue(key: KeyName, state: CampaignState, now: number): boolean {
  const { status, released, breakGlass } = state;
  const isTime = status === 'armed' && now >= parseTime(state.releaseTime);
  switch (key) {
    case 'release':
      return status !== 'aborted' && status !== 'withdrawn' && (released || isTime);
    case 'break-glass':
      return breakGlass === 'broken' || (breakGlass === 'sealed' && isTime);
    case 'closing':
      if (status === 'disclosed') return true;
      return mayDisclose(state) && now >= parseTime(state.latestDisclosure);
  }
}

/** Whether the latest disclosure date discloses a campaign as it stands. */
export function mayDisclose({ status }: CampaignState): boolean {
  return MOVES.some(({ from, by }) => by === 'latest-date' && from.includes(status));
}
