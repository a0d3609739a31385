import { readRecipientKey } from '../../../protocol/contact/contact-key.ts';
import { parseTime } from '../../../protocol/encoding/time.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { TrustRoot } from '../../../protocol/trust/root.ts';
import type { CampaignFile } from '../campaign/campaign-file.ts';
import { error, warning, type Finding } from '../campaign/finding.ts';

/** A release may be moved by days, and operators open it for days after. */
const MARGIN_MS = 14 * 86_400_000;

const ROTATE = 'rotate first: sealdrop trust rotate';
const NEW_CARD = 'a new card of that officer, then sealdrop trust rotate --officer CARD';

/** T0 and the latest disclosure date, RFC 3339 UTC. */
type Times = Pick<CampaignFile, 'releaseTime' | 'latestDisclosure'>;

/** Until when keys are needed at least, and until when they should last. Unix ms. */
interface Span {
  readonly needed: number;
  readonly wanted: number;
}

function spanOf({ releaseTime, latestDisclosure }: Times): Span {
  const needed = parseTime(releaseTime) + MARGIN_MS;
  return { needed, wanted: Math.max(needed, parseTime(latestDisclosure)) };
}

/**
 * What of the root of trust will not last until the campaign is over. Keys that expire while a fix
 * waits are found out about at the worst hour.
 *
 * @param targetsExpire - Of the TUF targets that this home has, if it has any.
 * @param now - Unix ms.
 */
export async function lintTrust(
  campaign: CampaignFile,
  root: TrustRoot | undefined,
  targetsExpire: string | undefined,
  now: number,
): Promise<readonly Finding[]> {
  if (root === undefined) {
    const message = 'no root of trust is known here, so nothing was compared with it';
    return [warning('trust', message, 'sealdrop trust add URL --root-sha256 HEX')];
  }
  const findings: Finding[] = [];
  if (root.network !== campaign.network) {
    const message = 'is another network than that of the trust root';
    findings.push(error('campaign.json.network', message, 'use the home that trusts that network'));
  }
  if (root.people.size < 2 || root.shareThreshold < 2) {
    const message = 'a key is split among at least two officers, two of whom it takes';
    findings.push(error('trust', message, ROTATE));
  }
  if (targetsExpire !== undefined && parseTime(targetsExpire) < parseTime(campaign.releaseTime)) {
    const message = `the TUF targets expire on ${targetsExpire}, before T0`;
    findings.push(
      warning('trust', message, 'arming this campaign signs new ones; see that it does'),
    );
  }
  return [...findings, ...(await lintLasting(campaign, root, now))];
}

/**
 * What of a root of trust ends too soon for a release.
 *
 * @param now - Unix ms.
 */
export async function lintLasting(
  times: Times,
  root: TrustRoot,
  now: number,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const span = spanOf(times);
  if (parseTime(root.expires) < span.needed) {
    const message = `the root expires on ${root.expires}, too soon after T0`;
    findings.push(error('trust', message, ROTATE));
  } else if (parseTime(root.expires) < span.wanted) {
    const message = `the root expires on ${root.expires}, before the last date`;
    findings.push(warning('trust', message, ROTATE));
  }
  for (const { id, openpgp } of root.people.values()) {
    const lasts = await lastingOf(openpgp, span, now);
    if (lasts === 'well') continue;
    const make = lasts === 'to T0' ? warning : error;
    findings.push(make('trust', `the OpenPGP key of ${id} ${SAID[lasts]}`, NEW_CARD));
  }
  return findings;
}

/** An operator whom officers have to reach by mail. */
export interface Contact {
  readonly email: string;
  /** Armoured. */
  readonly openpgp: string;
  /** Of all stake. */
  readonly percent: string;
}

/**
 * Which operators could not read a mail of this campaign to its end, by keys that expire.
 *
 * @param contacts - Those of most stake first.
 * @param now - Unix ms.
 */
export async function lintContacts(
  times: Times,
  contacts: readonly Contact[],
  now: number,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const { email, openpgp, percent } of contacts) {
    const lasts = await lastingOf(openpgp, spanOf(times), now);
    if (lasts === 'well') continue;
    const message = `the OpenPGP key of ${email} (${percent} of stake) ${SAID[lasts]}`;
    findings.push(warning('roster', message, 'ask for a new key: sealdrop enroll, once more'));
  }
  return findings;
}

type Lasting = 'well' | 'to T0' | 'today' | 'never';

const SAID: Readonly<Record<Exclude<Lasting, 'well'>, string>> = {
  'to T0': 'expires before the last date',
  today: 'expires too soon after T0',
  never: 'cannot be used',
};

async function lastingOf(openpgp: string, { needed, wanted }: Span, now: number): Promise<Lasting> {
  if (!(await isUsable(openpgp, now))) return 'never';
  if (await isUsable(openpgp, wanted)) return 'well';
  return (await isUsable(openpgp, needed)) ? 'to T0' : 'today';
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
