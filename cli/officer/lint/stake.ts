import { ProtocolError } from '../../../protocol/errors.ts';
import { parseSnapshot } from '../../../protocol/stake/snapshot.ts';
import type { CampaignFile } from '../campaign/campaign-file.ts';
import { error, type Finding } from '../campaign/finding.ts';

const ANEW = 'take a snapshot of this network: sealdrop network add';

/** What is wrong with how adoption will be measured. */
export function lintStake(
  campaign: CampaignFile,
  snapshot: Uint8Array | undefined,
): readonly Finding[] {
  const where = 'campaign.json.snapshot';
  const findings = lintMilestones(campaign);
  if (snapshot === undefined) return [...findings, error(where, 'is not there', ANEW)];
  try {
    const { network, total } = parseSnapshot(snapshot);
    if (network !== campaign.network) findings.push(error(where, 'is of another network', ANEW));
    if (total === 0n) {
      findings.push(error(where, 'holds no stake, so nothing could be reached', ANEW));
    }
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    findings.push(error(where, cause.message, ANEW));
  }
  return findings;
}

function lintMilestones({ milestones }: CampaignFile): Finding[] {
  if (milestones === undefined) return [];
  const where = 'campaign.json.milestones';
  const findings: Finding[] = [];
  const gates = milestones.filter(({ action }) => action === 'gate');
  if (gates.length !== 1 || gates[0]?.strict !== true) {
    const advice = 'leave "milestones" out for the usual ones';
    findings.push(error(where, 'must have exactly one gate, and that strict', advice));
  }
  if (new Set(milestones.map(({ name }) => name)).size !== milestones.length) {
    findings.push(error(where, 'has two of one name', 'rename one'));
  }
  return findings;
}
