import { commitmentName } from '../commitment/commitment.ts';
import { ProtocolError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import type { Action, CampaignStatus } from './transitions.ts';

/** What makes a campaign this campaign: no revision changes it. */
const IDENTITY = ['campaign', 'network', 'kind', 'exercise'] as const;

/** What operators hold, or are bound by, once a campaign is armed. */
const ARMED = [
  'releaseRecipient',
  'accessRecipient',
  'shareThreshold',
  'timelock',
  'breakGlassThreshold',
  'bundles',
  'releaseTime',
  'milestones',
  'policy',
  'snapshot',
] as const;

/**
 * Check that a plan may follow another one.
 *
 * Every revision lists the `COMMITMENT` before it, so that no document is ever forgotten. A `commit`
 * from `armed` on may change the disclosure and its date, not what operators already hold; a
 * `supersede` brings another patch under another key, because the old one is out.
 *
 * @param before - The plan in force, `after` the one to follow.
 * @throws {@link ProtocolError} `plan_invalid`, naming what may not change or has to.
 * @see docs/spec/plan.md, "Revisions"
 */
export function checkRevision(
  before: Plan,
  after: Plan,
  action: Action,
  status: CampaignStatus,
): void {
  demand(after.revision === before.revision + 1, 'the revision does not follow the one before');
  demand(after.nonce !== before.nonce, 'the nonce is that of the plan before');
  for (const field of IDENTITY) demand(after[field] === before[field], `${field} may not change`);

  const earlier = digestOf(after, commitmentName(before.revision));
  demand(earlier === before.commitment, 'it lists another COMMITMENT than the one before');

  if (action === 'supersede') {
    demand(
      digestOf(after, 'release.txt') !== digestOf(before, 'release.txt'),
      'supersede brings another release.txt',
    );
    demand(
      after.releaseRecipient !== before.releaseRecipient,
      'supersede brings another release key',
    );
  } else if (status === 'armed' || status === 'released') {
    for (const field of ARMED) {
      demand(isSame(after[field], before[field]), `${field} may not change once armed`);
    }
    for (const name of ['notice.txt', 'release.txt']) {
      demand(digestOf(after, name) === digestOf(before, name), `${name} may not change once armed`);
    }
    demand(isSame(releaseShares(after), releaseShares(before)), 'shares may not change once armed');
  }
}

function digestOf(plan: Plan, name: string): string | undefined {
  return plan.documents.find((document) => document.name === name)?.sha256;
}

function releaseShares(plan: Plan): readonly string[] {
  return plan.shares
    .filter(({ key }) => key !== 'closing')
    .map(({ key, officer, sha256, locked = '' }) => `${key} ${officer} ${sha256} ${locked}`)
    .sort();
}

/** Plans are parsed with their members in one order, so equal values have equal JSON. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new ProtocolError('plan_invalid', `revised plan: ${otherwise}`);
}
