import { readRecipientKey } from '../../protocol/contact/openpgp.ts';
import { parseTime } from '../../protocol/encoding/time.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { TrustRoot } from '../../protocol/trust/root.ts';
import type { CampaignFile } from './campaign-file.ts';
import { error, warning, type Finding } from './finding.ts';

/** A release may be moved by days, and operators open it for days after. */
const MARGIN_MS = 14 * 86_400_000;

/**
 * What of the root of trust will not last until the campaign is over. Keys that expire while a fix
 * waits are found out about at the worst hour.
 *
 * @param now - Unix ms.
 */
export async function lintTrust(
  campaign: CampaignFile,
  root: TrustRoot | undefined,
  now: number,
): Promise<readonly Finding[]> {
  if (root === undefined) {
    return [warning('trust', 'no root of trust is known here, so nothing was compared with it')];
  }
  const findings: Finding[] = [];
  if (root.network !== campaign.network) {
    findings.push(error('campaign.json.network', 'is another network than that of the trust root'));
  }
  if (root.people.size < 2 || root.shareThreshold < 2) {
    findings.push(
      error('trust', 'a key is split among at least two officers, two of whom it takes'),
    );
  }
  return [...findings, ...(await lintLasting(campaign, root, now))];
}

/**
 * What of a root of trust ends too soon for a release.
 *
 * @param times - T0 and the latest disclosure date, RFC 3339 UTC.
 * @param now - Unix ms.
 */
export async function lintLasting(
  times: { readonly releaseTime: string; readonly latestDisclosure: string },
  root: TrustRoot,
  now: number,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const needed = parseTime(times.releaseTime) + MARGIN_MS;
  const wanted = Math.max(needed, parseTime(times.latestDisclosure));
  if (parseTime(root.expires) < needed) {
    findings.push(error('trust', `the root expires on ${root.expires}, too soon after T0`));
  } else if (parseTime(root.expires) < wanted) {
    findings.push(warning('trust', `the root expires on ${root.expires}, before the last date`));
  }
  for (const { id, openpgp } of root.people.values()) {
    if (!(await isUsable(openpgp, now))) {
      findings.push(error('trust', `the OpenPGP key of ${id} cannot be used`));
    } else if (!(await isUsable(openpgp, needed))) {
      findings.push(error('trust', `the OpenPGP key of ${id} expires too soon after T0`));
    } else if (!(await isUsable(openpgp, wanted))) {
      findings.push(warning('trust', `the OpenPGP key of ${id} expires before the last date`));
    }
  }
  return findings;
}

async function isUsable(openpgp: string, at: number): Promise<boolean> {
  try {
    await readRecipientKey(openpgp, new Date(at));
    return true;
  } catch (cause) {
    if (cause instanceof ProtocolError) return false;
    throw cause;
  }
}
