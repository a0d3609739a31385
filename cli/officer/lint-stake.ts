import { ProtocolError } from '../../protocol/errors.ts';
import { parseSnapshot } from '../../protocol/stake/snapshot.ts';
import type { CampaignFile } from './campaign-file.ts';
import { error, type Finding } from './finding.ts';

/** What is wrong with how adoption will be measured. */
export function lintStake(
  campaign: CampaignFile,
  snapshot: Uint8Array | undefined,
): readonly Finding[] {
  const where = 'campaign.json.snapshot';
  const findings = lintMilestones(campaign);
  if (snapshot === undefined) {
    return [...findings, error(where, 'is not there; sealdrop network add makes one')];
  }
  try {
    const { network, total } = parseSnapshot(snapshot);
    if (network !== campaign.network) findings.push(error(where, 'is of another network'));
    if (total === 0n) findings.push(error(where, 'holds no stake, so nothing could be reached'));
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    findings.push(error(where, cause.message));
  }
  return findings;
}

function lintMilestones({ milestones }: CampaignFile): Finding[] {
  if (milestones === undefined) return [];
  const where = 'campaign.json.milestones';
  const findings: Finding[] = [];
  const gates = milestones.filter(({ action }) => action === 'gate');
  if (gates.length !== 1 || gates[0]?.strict !== true) {
    findings.push(error(where, 'must have exactly one gate, and that strict'));
  }
  if (new Set(milestones.map(({ name }) => name)).size !== milestones.length) {
    findings.push(error(where, 'has two of one name'));
  }
  return findings;
}
