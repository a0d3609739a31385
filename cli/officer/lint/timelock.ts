import type { TrustRoot } from '../../../protocol/trust/root.ts';
import type { CampaignFile } from '../campaign/campaign-file.ts';
import { error, warning, type Finding } from '../campaign/finding.ts';

/** What is wrong, or unwise, about a time-lock. `root` is the one that the campaign is signed under. */
export function lintTimelock(
  { timelock }: CampaignFile,
  root: TrustRoot | undefined,
): readonly Finding[] {
  if (timelock === undefined) return [];
  const { breakGlassThreshold } = timelock;
  if (breakGlassThreshold === undefined) {
    const text =
      'has no breakGlassThreshold: before T0 not even all officers can release, however much has ' +
      'leaked, and if the beacon halts nobody ever can';
    const advice = 'add breakGlassThreshold: how many officers may open without the lock';
    return [warning('campaign.json.timelock', text, advice)];
  }
  if (root === undefined) return [];
  const { shareThreshold, people } = root;
  if (breakGlassThreshold > shareThreshold && breakGlassThreshold <= people.size) return [];
  const where = 'campaign.json.timelock.breakGlassThreshold';
  if (shareThreshold === people.size) {
    return [
      error(where, 'cannot be above the threshold of T0, which is everybody', 'leave it out'),
    ];
  }
  const range = `${shareThreshold + 1} to ${people.size}`;
  return [error(where, 'is not above the threshold of T0, or above everybody', `make it ${range}`)];
}
