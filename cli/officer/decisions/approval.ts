import type { Action } from '../../../protocol/campaign/transitions.ts';
import type { Draft } from '../../../protocol/embargo/draft.ts';
import { fewestDeciders, findDecidersFlaw } from '../../../protocol/plan/deciders.ts';
import { planDigest, type Plan } from '../../../protocol/plan/plan.ts';
import { RefusedMoveError, UsageError } from '../../errors.ts';
import { refreshCheckpoint } from '../../log/checkpoint.ts';
import { requireQuorum } from '../../log/quorum.ts';
import { holdersInForce, isHolder, openOwnShares } from '../custody.ts';
import { checkReviews } from '../reviews.ts';
import { checkAgainstServer } from '../sealing/drafts.ts';
import type { OfficerSession } from '../session.ts';
import type { Pending, RevisedPlan, Standing } from '../standing.ts';
import { cosignTargets, proposeTargets } from './arm-targets.ts';
import { verifyStoredSignatures } from './completion.ts';
import { checkDisclosure } from './disclosure-gate.ts';
import { requireLastingTrust } from './lasting-trust.ts';
import { loadSnapshot } from './local-tally.ts';
import type { Companions } from './move.ts';
import { checkAttachments, signPlaintext } from './plaintext-attachment.ts';

/** What was verified on this machine before a signature, and what has to go with it. */
export interface Approval {
  /** Plain sentences, in the order in which they were checked. */
  readonly checked: readonly string[];
  readonly companions: Companions;
}

/** What is to be signed: a move of our own, or what another officer proposed. */
export interface Subject {
  readonly action: Action;
  readonly override: boolean;
  readonly pending?: Pending;
  /** The plan as it is to stand, where the move changes it. */
  readonly revised?: RevisedPlan | undefined;
}

/** What {@link loadStanding} has verified of any campaign. */
const STANDING_CHECKS = [
  'the root of trust is pinned, unbroken and not expired',
  'the plan agrees with itself and with the root',
  'every directive follows from the one before and has enough signatures',
];

/**
 * Verify everything a signature under this move would vouch for. Nothing in it is the server's word.
 *
 * @param draft - Opened; required for `commit`.
 * @throws ProtocolError for the first thing that does not hold; {@link UsageError} when the
 *   draft is needed and missing.
 */
export async function checkMove(
  session: OfficerSession,
  standing: Standing,
  subject: Subject,
  draft: Draft | undefined,
): Promise<Approval> {
  const { checked, companions } = await checkAction(session, standing, subject, draft);
  return { checked: [...STANDING_CHECKS, ...checked], companions };
}

async function checkAction(
  session: OfficerSession,
  standing: Standing,
  { action, override, pending, revised }: Subject,
  draft: Draft | undefined,
): Promise<Approval> {
  switch (action) {
    case 'commit':
    case 'supersede': {
      if (draft === undefined) {
        throw new UsageError(`${action} needs the draft`, 'give --draft FILE');
      }
      const after = revised === undefined ? standing : afterRevision(session, standing, revised);
      const committed = await checkCommit(session, after, pending, draft);
      if (action === 'commit') {
        const { status } = standing.state;
        if (status !== 'armed' && status !== 'released') return committed;
        const targets = await signTargets(session, after.plan, pending);
        return {
          checked: [...committed.checked, TARGETS],
          companions: { ...committed.companions, targets },
        };
      }
      const armed = await checkArm(session, after, pending, undefined);
      return {
        checked: [...new Set([...committed.checked, ...armed.checked])],
        companions: { ...committed.companions, ...armed.companions },
      };
    }
    case 'arm':
      return checkArm(session, standing, pending, draft);
    case 'disclose':
      return { checked: [await checkDisclosure(session, standing, override)], companions: {} };
    case 'notify':
    case 'reschedule':
    case 'abort':
    case 'withdraw':
    case 'leaked':
      return { checked: [], companions: {} };
  }
}

/** The campaign as it is to stand once the plan has changed, under the root that is newest now. */
function afterRevision(
  { trust }: OfficerSession,
  standing: Standing,
  revised: RevisedPlan,
): Standing {
  const { releaseTime, latestDisclosure } = revised.plan;
  const state = { ...standing.state, releaseTime, latestDisclosure };
  return { ...standing, ...revised, state, planRoot: trust.root };
}

const OWN_SHARES = 'our own shares are in custody and are those of the plan';
const TARGETS = 'the TUF targets list the ciphertexts of this plan and those before, no others';
const LASTING = 'the root of trust and the keys in it last until after T0';

async function checkCommit(
  session: OfficerSession,
  standing: Standing,
  pending: Pending | undefined,
  draft: Draft,
): Promise<Approval> {
  const { keys, trust, context } = session;
  const { plan, attachments } = standing;
  await requireLastingTrust(session, standing);
  const { point, stakes, total } = await loadSnapshot(session, plan);
  await checkAgainstServer(session, draft, plan);
  await openOwnShares(session, plan);
  const people = pending?.people ?? [];
  await checkAttachments(attachments, people, draft, plan, trust.root, context.now());
  const attachment = await signPlaintext(draft, plan, keys, context.now());
  return {
    checked: [
      `the pinned snapshot is the plan's: ${point}, ${stakes.size} validators, ${total} of stake`,
      'the ciphertext on the server opens to exactly the files of the draft',
      `any ${plan.shareThreshold} shares make the keys, fewer do not`,
      OWN_SHARES,
      ...describeLocks(plan),
      LASTING,
      ...(people.length > 0 ? ['the plaintext signatures of those who signed before hold'] : []),
    ],
    companions: { attachment },
  };
}

/** What was checked of a time-lock, and what nobody can check before its round. */
function describeLocks({ timelock, breakGlassThreshold }: Plan): readonly string[] {
  if (timelock === undefined) return [];
  return [
    `every release share is in a file that names drand round ${timelock.round}, the first from T0 on, ` +
      'and nobody besides; whether it opens then, only that round will tell',
    breakGlassThreshold === undefined
      ? 'there is no break-glass split: before T0, or without the beacon, nobody can open'
      : `any ${breakGlassThreshold} break-glass shares, which are not locked, make the release key`,
  ];
}

const SEAL_ANEW = 'seal the campaign anew under the root in force, under another id';

async function checkArm(
  session: OfficerSession,
  standing: Standing,
  pending: Pending | undefined,
  draft: Draft | undefined,
): Promise<Approval> {
  const { plan, planBytes, planRoot } = standing;
  await requireLastingTrust(session, standing);
  const reviewed = await checkReviews(session, { plan, digest: planDigest(planBytes) });
  const witnessed = await checkWitnesses(session);
  const holders = holdersInForce(session.trust.root, planRoot);
  if (holders.length < plan.shareThreshold) {
    throw new RefusedMoveError(
      'threshold_unmet',
      `only ${holders.length} of ${plan.shareThreshold} shares needed are with officers in office`,
      SEAL_ANEW,
    );
  }
  const { root } = session.trust;
  const flaw = findDecidersFlaw(plan, root);
  if (flaw !== undefined) {
    const fewest = fewestDeciders(plan, root);
    const rotate = `rotate to a root in which ${fewest} decide (trust rotate --threshold ${fewest})`;
    throw new RefusedMoveError('plan_invalid', flaw, `${rotate}, or ${SEAL_ANEW}`);
  }
  const holdsShares = isHolder(session, planRoot);
  if (holdsShares) await openOwnShares(session, plan);
  if (draft !== undefined) await verifyStoredSignatures(session, standing, draft);
  const targets = await signTargets(session, plan, pending);
  return {
    checked: [
      holdsShares
        ? OWN_SHARES
        : 'we hold no share: the plan was made before our keys were in force',
      `${holders.length} officers in office hold shares, of whom it takes ${plan.shareThreshold}`,
      LASTING,
      ...reviewed,
      ...witnessed,
      ...(draft === undefined ? [] : ["the officers' signatures over the plaintext hold"]),
      TARGETS,
    ],
    companions: { targets },
  };
}

/** What operators fetch once the move is done. */
function signTargets(
  session: OfficerSession,
  plan: Plan,
  pending: Pending | undefined,
): Promise<Uint8Array> {
  return pending === undefined
    ? proposeTargets(session, plan)
    : cosignTargets(session, plan, pending.targets);
}

/** Whoever arms must not be shown a log that others do not see. */
async function checkWitnesses({
  context,
  home,
  client,
  trust,
}: OfficerSession): Promise<readonly string[]> {
  if (trust.root.witnessPolicy === undefined) return [];
  const { note } = await refreshCheckpoint(home, client, trust.root);
  requireQuorum(trust.root, note, context.now());
  return ['enough witnesses have cosigned the log, and lately'];
}
