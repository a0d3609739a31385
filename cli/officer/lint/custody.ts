import { findCustodyFlaw } from '../../../protocol/plan/server-custody.ts';
import type { TrustRoot } from '../../../protocol/trust/root.ts';
import { serverSharesOf, type CampaignFile } from '../campaign/campaign-file.ts';
import { error, warning, type Finding } from '../campaign/finding.ts';

const WHERE = 'campaign.json.serverCustody';

/** What is wrong with giving shares to the server, and that it is done at all. */
export function lintCustody(
  campaign: CampaignFile,
  root: TrustRoot | undefined,
): readonly Finding[] {
  const { serverCustody, exercise } = campaign;
  if (serverCustody === undefined) return [];
  if (serverCustody === 'alone' && !exercise) {
    return [
      error(WHERE, 'lets the server open alone, which only an exercise may', 'make it "one"'),
    ];
  }
  if (root === undefined) return [];
  if (root.custodian === undefined) {
    const message = 'the root of trust names no keys with which the server could hold a share';
    return [error(WHERE, message, 'sealdrop trust rotate --server CARD, of a card with --custody')];
  }
  const { shareThreshold } = root;
  const held = serverSharesOf(campaign, shareThreshold);
  const flaw = findCustodyFlaw(held, { exercise, shareThreshold }, root);
  if (flaw !== undefined)
    return [error(WHERE, flaw, 'leave it out, or rotate to other thresholds')];
  const message =
    shareThreshold === held
      ? 'the server opens the patch ALONE, in this exercise'
      : 'whoever has the server and its custody key needs one officer less to open the patch';
  return [warning(WHERE, message, 'leave it out to keep all shares with officers')];
}
